package io.grpcstream.samples.greeter;

import java.io.BufferedReader;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Runs {@link GreeterServer} and {@link GreeterClient} as two processes, shows what both print, and
 * ends when the caller has made its calls: {@code mvn -q compile -Pgreeter}. Two arguments name the
 * classes to run instead of these, such as those in Kotlin.
 */
public final class GreeterDemo {
  private static final String SERVING_AT = "serving at ";
  private static final int SERVER_STOPS_WITHIN_SECONDS = 10;

  private GreeterDemo() {}

  /** Exits with the exit code of the caller. */
  public static void main(String[] args) throws IOException, InterruptedException {
    boolean named = args.length == 2;
    Process server = launch(named ? args[0] : GreeterServer.class.getName());
    int exitCode;
    try (BufferedReader fromServer = server.inputReader()) {
      String address = readAddress(fromServer);
      Thread serverLines = new Thread(() -> show("server", fromServer));
      serverLines.start();

      Process caller = launch(named ? args[1] : GreeterClient.class.getName(), address);
      try (BufferedReader fromCaller = caller.inputReader()) {
        show("caller", fromCaller);
      }
      exitCode = caller.waitFor();

      stop(server);
      serverLines.join();
    } finally {
      server.destroyForcibly();
    }
    System.exit(exitCode);
  }

  /** Starts {@code main} in a JVM like this one. */
  private static Process launch(String main, String... args) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(main);
    command.addAll(List.of(args));
    return new ProcessBuilder(command).redirectErrorStream(true).start();
  }

  /** Shows the server's lines up to the one that says where it serves, and returns that address. */
  private static String readAddress(BufferedReader lines) throws IOException {
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      show("server", line);
      if (line.startsWith(SERVING_AT)) {
        return line.substring(SERVING_AT.length());
      }
    }
    throw new IOException("the server ended before it served");
  }

  private static void show(String who, BufferedReader lines) {
    lines.lines().forEach(line -> show(who, line));
  }

  private static void show(String who, String line) {
    System.out.println(who + " | " + line);
  }

  /** Asks the server to end, as Ctrl-C would, and waits until it has. */
  private static void stop(Process server) throws IOException, InterruptedException {
    server.destroy();
    if (!server.waitFor(SERVER_STOPS_WITHIN_SECONDS, TimeUnit.SECONDS)) {
      throw new IOException("the server runs on after %d s".formatted(SERVER_STOPS_WITHIN_SECONDS));
    }
  }
}
