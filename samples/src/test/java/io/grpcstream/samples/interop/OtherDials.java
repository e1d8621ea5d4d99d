package io.grpcstream.samples.interop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.grpcstream.samples.interop.Cell.Combination;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;

/** One of our sides that serves, and a peer in another language that calls it. For one thread. */
final class OtherDials implements AutoCloseable {
  /** Longer than the 60 seconds after which the other side gives a scenario up. */
  private static final Duration SCENARIO = Duration.ofSeconds(75);

  private final Toolchain other;
  private final Side side;
  private final Combination secured;
  private final Results results;
  private final Cell cell;
  private final List<String> scenarios;
  private @Nullable Server server;
  private @Nullable PeerProcess process;

  OtherDials(Toolchain other, Side side, Combination secured, Results results) {
    this.other = other;
    this.side = side;
    this.secured = secured;
    this.results = results;
    cell = new Cell(other.language(), side.language(), secured);
    scenarios = secured.scenarios(new ArrayList<>(side.scenarios().keySet()));
  }

  /** A test for each scenario, which are lines that the other side prints in this order. */
  Stream<DynamicTest> tests() {
    return scenarios.stream().map(name -> dynamicTest(cell + ": " + name, () -> run(name)));
  }

  private void run(String scenario) throws Exception {
    boolean passed = false;
    try {
      PeerProcess caller = caller();
      String line = caller.nextLine(SCENARIO);
      if (!line.startsWith(scenario + " ok ")) {
        throw caller.failure("printed \"%s\" (%s)".formatted(line, cell));
      }
      if (scenario.equals("connect")) {
        assertThat(line).contains("security=" + secured.protocol(), "muxer=/yamux/1.0.0");
      }
      passed = true;
    } finally {
      results.count(cell, passed);
    }
  }

  private PeerProcess caller() throws Exception {
    if (server == null) {
      server = new Server(side, secured.protocol(), Identities.fresh(secured.key()));
    }
    if (process == null) {
      process =
          other.start(
              "call",
              server.address().toString(),
              "--scenario",
              String.join(",", scenarios),
              "--security",
              secured.security(),
              "--key",
              secured.key());
    }
    return process;
  }

  /** Checks that the process ends, as one whose scenarios have all passed. */
  void end() throws Exception {
    if (process != null) {
      process.expectEnd(Peer.PATIENCE);
    }
  }

  @Override
  public void close() {
    if (process != null) {
      process.close();
    }
    if (server != null) {
      server.close();
    }
  }
}
