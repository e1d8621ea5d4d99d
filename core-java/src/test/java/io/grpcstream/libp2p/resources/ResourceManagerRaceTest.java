package io.grpcstream.libp2p.resources;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.HostStats;
import io.grpcstream.libp2p.LimitExceededException;
import io.grpcstream.libp2p.Limits;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.resources.ResourceManager.ConnectionSlot;
import io.grpcstream.libp2p.resources.ResourceManager.StreamSlot;
import io.grpcstream.testing.Race;
import java.net.InetSocketAddress;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@SuppressWarnings("AddressSelection") // Literal addresses: nothing is looked up.
@Timeout(60)
class ResourceManagerRaceTest {
  private static final int ROUNDS = 3_000;

  /** So many that threads do meet without a barrier. */
  private static final int TURNS = 100_000;

  private static final int LIMIT = 2;
  private static final InetSocketAddress REMOTE = new InetSocketAddress("192.0.2.1", 1);

  private final PeerId peer = PeerId.of(PrivateKey.generateEd25519().publicKey());
  private final ResourceManager manager =
      new ResourceManager(
          Limits.builder()
              .connections(LIMIT)
              .connectionsPerPeer(LIMIT)
              .inboundStreams(LIMIT)
              .build(),
          new Refusals(peer),
          Map.of());
  private final Race race = new Race(3);

  @AfterEach
  void close() {
    race.close();
  }

  private void assertNothingHeld() {
    HostStats stats = manager.stats();
    assertThat(
            List.of(
                stats.inboundConnections(),
                stats.outboundConnections(),
                stats.pendingInboundConnections(),
                stats.inboundStreams(),
                stats.outboundStreams(),
                manager.peerCount()))
        .as("held: %s", stats)
        .containsOnly(0);
  }

  @Test
  @DisplayName("Threads that take and release never hold more than the limit, and leave nothing")
  void limitHolds() throws Exception {
    AtomicInteger connections = new AtomicInteger();
    AtomicInteger streams = new AtomicInteger();
    Callable<Integer> user =
        () -> {
          int most = 0;
          for (int round = 0; round < TURNS; round++) {
            try {
              ConnectionSlot connection =
                  round % 2 == 0
                      ? manager.inboundConnection(REMOTE)
                      : manager.outboundConnection("x");
              most = Math.max(most, connections.incrementAndGet());
              connection.setPeer(peer);
              connections.decrementAndGet();
              connection.release();
              StreamSlot stream = manager.stream(peer, true);
              most = Math.max(most, streams.incrementAndGet());
              stream.setProtocol("/test/1");
              streams.decrementAndGet();
              stream.release();
            } catch (LimitExceededException e) {
              Thread.onSpinWait(); // Others hold all there is: their turn.
            }
          }
          return most;
        };
    assertThat(race.run(Collections.nCopies(3, user)))
        .allSatisfy(most -> assertThat(most).isBetween(1, LIMIT));
    assertNothingHeld();
  }

  @Test
  @DisplayName("A connection released twice while its peer is proven is given back once")
  void connectionIsGivenBackOnce() throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      ConnectionSlot slot = manager.inboundConnection(REMOTE);
      race.run(
          List.<Callable<Boolean>>of(
              () -> {
                slot.setPeer(peer);
                return true;
              },
              () -> {
                slot.release();
                return true;
              },
              () -> {
                slot.release();
                return true;
              }));
      assertNothingHeld();
    }
  }

  @Test
  @DisplayName("A stream released twice while its protocol is agreed is given back once")
  void streamIsGivenBackOnce() throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      StreamSlot slot = manager.stream(peer, true);
      race.run(
          List.<Callable<Boolean>>of(
              () -> {
                slot.setProtocol("/test/1");
                return true;
              },
              () -> {
                slot.release();
                return true;
              },
              () -> {
                slot.release();
                return true;
              }));
      assertNothingHeld();
    }
  }
}
