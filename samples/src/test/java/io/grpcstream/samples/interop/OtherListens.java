package io.grpcstream.samples.interop;

import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.samples.interop.Cell.Combination;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;

/** A peer in another language that serves, and our sides that call it. For one thread. */
final class OtherListens implements AutoCloseable {
  private static final Duration SCENARIO = Duration.ofSeconds(60);

  private final Toolchain other;
  private final Combination secured;
  private final Results results;
  private final Map<Side, Peer> callers = new HashMap<>();
  private @Nullable PeerProcess process;
  private @Nullable Multiaddr address;

  OtherListens(Toolchain other, Combination secured, Results results) {
    this.other = other;
    this.secured = secured;
    this.results = results;
  }

  /** A test for each scenario. */
  Stream<DynamicTest> tests(Side side) {
    Cell cell = new Cell(side.language(), other.language(), secured);
    Map<String, Scenario> all = side.scenarios();
    return secured.scenarios(new ArrayList<>(all.keySet())).stream()
        .map(
            name -> {
              String test = cell + ": " + name;
              return dynamicTest(test, () -> run(test, cell, side, all.get(name)));
            });
  }

  private void run(String test, Cell cell, Side side, Scenario scenario) throws Exception {
    boolean passed = false;
    try {
      Peer peer = caller(side);
      assertTimeoutPreemptively(SCENARIO, () -> scenario.run(peer));
      passed = true;
    } catch (Exception | AssertionError e) {
      if (process == null) {
        throw e;
      }
      throw shown(test, e, process);
    } finally {
      results.count(cell, passed);
    }
  }

  private static AssertionError shown(String test, Throwable failure, PeerProcess process) {
    return new AssertionError(
        "%s: %s%nStandard error of the other side:%n%s".formatted(test, failure, process.errors()),
        failure);
  }

  private Peer caller(Side side) throws Exception {
    if (process == null) {
      process = other.start("listen", "--security", secured.security(), "--key", secured.key());
    }
    if (address == null) {
      address = Multiaddr.parse(process.nextLine(Peer.PATIENCE));
    }
    Peer peer = callers.get(side);
    if (peer == null) {
      peer = new Peer(address, secured.protocol(), Identities.fresh(secured.key()));
      callers.put(side, peer);
    }
    return peer;
  }

  /** Checks that the process ends when it shall. */
  void end() throws Exception {
    closeCallers();
    if (process != null) {
      process.endInput();
      process.expectEnd(Peer.PATIENCE);
    }
  }

  private void closeCallers() {
    List.copyOf(callers.values()).forEach(Peer::close);
    callers.clear();
  }

  @Override
  public void close() {
    closeCallers();
    if (process != null) {
      process.close();
    }
  }
}
