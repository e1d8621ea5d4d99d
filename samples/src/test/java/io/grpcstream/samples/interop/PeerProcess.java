package io.grpcstream.samples.interop;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A process in another language: what it prints line by line, and its end, each with a deadline.
 */
final class PeerProcess implements AutoCloseable {
  private static final String END = "\0";
  private static final int SHOWN = 16 << 10; // the last characters of its standard error

  private final String name;
  private final Process process;
  private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
  private final StringBuilder errors = new StringBuilder(); // itself the lock

  private PeerProcess(String name, Process process) {
    this.name = name;
    this.process = process;
  }

  /**
   * Starts a program, found on the {@code PATH}.
   *
   * @throws UncheckedIOException if there is no such program
   */
  static PeerProcess start(List<String> command, Path directory) {
    try {
      Process process = new ProcessBuilder(command).directory(directory.toFile()).start();
      PeerProcess started = new PeerProcess(String.join(" ", command), process);
      started.read(process.inputReader(), started.lines::add);
      started.read(process.errorReader(), started::addError);
      return started;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void addError(String line) {
    synchronized (errors) {
      errors.append(line).append('\n');
    }
  }

  private void read(BufferedReader from, Consumer<String> to) {
    Thread reader =
        new Thread(
            () -> {
              try (from) {
                from.lines().forEach(to);
              } catch (IOException | UncheckedIOException e) {
                addError(e.toString());
              } finally {
                to.accept(END);
              }
            },
            "reads what " + name + " prints");
    reader.setDaemon(true);
    reader.start();
  }

  /** The next line on its standard output; fails if none comes in time, or it has ended. */
  String nextLine(Duration patience) throws InterruptedException {
    @Nullable String line = lines.poll(patience.toMillis(), TimeUnit.MILLISECONDS);
    if (line == null) {
      throw failure("said nothing for " + patience);
    }
    if (line.equals(END)) {
      lines.add(END);
      throw failure("said nothing more");
    }
    return line;
  }

  /** Ends its standard input, which tells a listening peer to end. */
  void endInput() throws IOException {
    process.getOutputStream().close();
  }

  /** Waits for its end, which must come in time, with exit code 0. */
  void expectEnd(Duration patience) throws InterruptedException {
    if (!process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
      throw failure("did not end within " + patience);
    }
    if (process.exitValue() != 0) {
      throw failure("ended with exit code " + process.exitValue());
    }
  }

  /** A failure that shows what the process had to say. */
  AssertionError failure(String what) {
    return new AssertionError("%s %s; its standard error: %s".formatted(name, what, errors()));
  }

  /** The end of its standard error. */
  String errors() {
    String all;
    synchronized (errors) {
      all = errors.toString().replace(END, "");
    }
    return all.substring(Math.max(0, all.length() - SHOWN)).strip();
  }

  /** Ends it, if it still runs. */
  @Override
  public void close() {
    process.destroyForcibly();
  }
}
