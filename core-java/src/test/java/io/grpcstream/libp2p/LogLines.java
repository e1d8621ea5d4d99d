package io.grpcstream.libp2p;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;

/**
 * What was logged while it was open, as an operator would read it. The tests' SLF4J backend writes
 * to whatever {@code System.err} is at that moment.
 */
public final class LogLines implements AutoCloseable {
  private final PrintStream before = System.err;
  private final ByteArrayOutputStream captured = new ByteArrayOutputStream();

  /** Captures from now on. */
  public LogLines() {
    System.setErr(new PrintStream(captured, true, StandardCharsets.UTF_8));
  }

  /** All lines so far. */
  public List<String> lines() {
    return captured.toString(StandardCharsets.UTF_8).lines().toList();
  }

  /** Waits for a line that contains all of {@code parts}. */
  public void await(Object... parts) {
    TestHosts.eventually(
        () -> "a log line with " + List.of(parts) + ", have " + lines(),
        () ->
            lines().stream()
                .anyMatch(
                    line -> List.of(parts).stream().allMatch(p -> line.contains(p.toString()))));
  }

  /** Waits for a line that contains all of {@code parts} and at least one of {@code reasons}. */
  public void awaitAny(List<String> reasons, String... parts) {
    TestHosts.eventually(
        () -> "a log line with " + List.of(parts) + " and of " + reasons + ", have " + lines(),
        () ->
            lines().stream()
                .filter(line -> Stream.of(parts).allMatch(line::contains))
                .anyMatch(line -> reasons.stream().anyMatch(line::contains)));
  }

  @Override
  public void close() {
    System.setErr(before);
  }
}
