package io.grpcstream.libp2p.upkeep;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.Connection;
import io.grpcstream.libp2p.ConnectionManager;
import io.grpcstream.libp2p.LogLines;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.connection.Reclaimable;
import io.grpcstream.libp2p.crypto.PrivateKey;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class ConnectionTrimmerTest {
  private static final PeerId SELF = PeerId.of(PrivateKey.generateEd25519().publicKey());
  private static final Duration GRACE = Duration.ofMinutes(1);
  private static final Duration SILENCE = Duration.ofSeconds(10);

  private final Loop loop = new Loop();
  private final ProtectedPeers protectedPeers = new ProtectedPeers();
  private final List<Fake> connections = new ArrayList<>();
  private int looks;

  private ConnectionTrimmer start(ConnectionManager manager) {
    ConnectionTrimmer trimmer =
        new ConnectionTrimmer(
            SELF,
            manager,
            connections::size,
            () -> {
              looks++;
              return List.copyOf(connections);
            },
            protectedPeers,
            loop::now);
    trimmer.start(loop.executor());
    loop.run();
    return trimmer;
  }

  private static ConnectionManager.Builder marks(int low, int high) {
    return ConnectionManager.builder()
        .waterMarks(low, high)
        .gracePeriod(GRACE)
        .silencePeriod(SILENCE);
  }

  private Fake connect(String name) {
    Fake connection = new Fake(name);
    connections.add(connection);
    return connection;
  }

  private void tell(ConnectionTrimmer trimmer) {
    trimmer.onConnected(
        (Connection)
            Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {Connection.class},
                (proxy, method, arguments) -> null));
    loop.run();
  }

  private List<String> left() {
    return connections.stream().map(Fake::toString).toList();
  }

  @Test
  @DisplayName("Above the high-water mark those unused for longest go, down to the low-water mark")
  void longestUnusedGoFirst() {
    ConnectionTrimmer trimmer = start(marks(2, 4).build());
    connect("a");
    connect("b");
    connect("c");
    connect("d");
    loop.pass(GRACE);
    connections.get(0).use();
    tell(trimmer);
    assertThat(left()).as("at the mark").containsExactly("a", "b", "c", "d");

    connect("fresh");
    tell(trimmer);
    assertThat(left()).containsExactlyInAnyOrder("a", "d", "fresh");
    assertThat(trimmer.trimmed()).isEqualTo(2);
  }

  @Test
  @DisplayName("A connection in use stays, however long it has been there")
  void usedStay() {
    ConnectionTrimmer trimmer = start(marks(1, 2).build());
    connect("a").users = 1;
    connect("b").users = 1;
    connect("c");
    loop.pass(GRACE);
    tell(trimmer);
    assertThat(left()).containsExactly("a", "b");

    connections.get(0).users = 0;
    connections.get(0).use();
    connect("d").users = 1;
    loop.pass(SILENCE);
    tell(trimmer);
    assertThat(left()).containsExactly("b", "d");
  }

  @Test
  @DisplayName("A crowd of newcomers drives away no more than there are above the low-water mark")
  void newcomersDriveNobodyAway() {
    ConnectionTrimmer trimmer = start(marks(3, 5).build());
    List.of("a", "b", "c", "d").forEach(this::connect);
    loop.pass(GRACE);
    for (int i = 0; i < 20; i++) {
      connect("n" + i);
      tell(trimmer);
    }
    loop.pass(GRACE.dividedBy(2));
    assertThat(left()).contains("b", "c", "d").doesNotContain("a").hasSize(23);

    loop.pass(GRACE);
    assertThat(left()).as("once they are old, too").hasSize(3);
  }

  @Test
  @DisplayName("Protected peers stay, and do not count, until their last tag is taken off")
  void protectedStay() {
    ConnectionTrimmer trimmer = start(marks(1, 3).build());
    Fake a = connect("a");
    connect("b");
    connect("c");
    connect("d");
    protectedPeers.protect(a.peer, "one");
    protectedPeers.protect(a.peer, "two");
    protectedPeers.protect(a.peer, "two");
    loop.pass(GRACE);
    tell(trimmer);
    assertThat(left()).containsExactly("a", "d");

    assertThat(protectedPeers.unprotect(a.peer, "two")).isTrue();
    assertThat(protectedPeers.unprotect(a.peer, "never")).isTrue();
    assertThat(protectedPeers.contains(a.peer)).isTrue();
    assertThat(protectedPeers.unprotect(a.peer, "one")).isFalse();
    assertThat(protectedPeers.contains(a.peer)).isFalse();
    connect("e");
    connect("f");
    loop.pass(SILENCE);
    tell(trimmer);
    assertThat(left()).containsExactly("d", "e", "f");
  }

  @Test
  @DisplayName("However many come, there is one look in a silence period")
  void oneTrimInASilencePeriod() {
    ConnectionTrimmer trimmer = start(marks(1, 2).gracePeriod(Duration.ZERO).build());
    connect("a");
    connect("b");
    connect("c");
    tell(trimmer);
    assertThat(looks).isEqualTo(1);
    for (int i = 0; i < 50; i++) {
      connect("n" + i);
      tell(trimmer);
    }
    loop.pass(SILENCE.minusMillis(100));
    assertThat(looks).isEqualTo(1);
    assertThat(connections).hasSize(51);
    loop.pass(Duration.ofMillis(200));
    assertThat(looks).isEqualTo(2);
    assertThat(left()).containsExactly("n49");
  }

  @Test
  @DisplayName("An operator reads, once, why connections stay above the high-water mark")
  void theOperatorIsTold() {
    try (LogLines log = new LogLines()) {
      ConnectionTrimmer trimmer = start(marks(1, 2).build());
      protectedPeers.protect(connect("a").peer, "mine");
      connect("b").users = 1;
      loop.pass(GRACE);
      connect("c");
      tell(trimmer);
      loop.pass(SILENCE.multipliedBy(3));
      assertThat(left()).containsExactly("a", "b", "c");
      assertThat(log.lines()).filteredOn(line -> line.contains("high-water mark")).hasSize(1);
      log.await(SELF, "3 connections", "mark of 2", "1 are", "1 younger", "60 s", "1 in use");
    }
  }

  @Test
  @DisplayName("One that comes into use as it is about to be closed stays, and another goes")
  void usedAtTheLastMoment() {
    ConnectionTrimmer trimmer = start(marks(1, 2).build());
    connect("a").usedAtLastMoment = true;
    connect("b");
    connect("c");
    loop.pass(GRACE);
    tell(trimmer);
    assertThat(left()).containsExactly("a");
  }

  @Test
  @DisplayName("After the idle time-out, and at most a tenth later, an unused connection is closed")
  void idleTimeout() {
    Duration idle = Duration.ofMinutes(10);
    ConnectionTrimmer trimmer = start(ConnectionManager.builder().idleTimeout(idle).build());
    connect("a");
    Fake used = connect("used");
    used.users = 1;
    protectedPeers.protect(connect("protected").peer, "mine");
    loop.pass(Duration.ofMinutes(3));
    connect("later");
    loop.pass(Duration.ofMinutes(7).minusSeconds(1));
    assertThat(left()).containsExactly("a", "used", "protected", "later");
    loop.pass(Duration.ofMinutes(1));
    assertThat(left()).containsExactly("used", "protected", "later");
    loop.pass(Duration.ofMinutes(3));
    assertThat(left()).containsExactly("used", "protected");

    used.use();
    used.users = 0;
    loop.pass(idle.minusSeconds(1));
    assertThat(left()).containsExactly("used", "protected");
    loop.pass(Duration.ofMinutes(1).plusSeconds(1));
    assertThat(left()).containsExactly("protected");
    assertThat(trimmer.idleClosed()).isEqualTo(3);
    assertThat(trimmer.trimmed()).isZero();
  }

  @Test
  @DisplayName("Without marks and time-out nothing is closed, and no timer runs")
  void noneClosesNothing() {
    ConnectionTrimmer trimmer = start(ConnectionManager.none());
    for (int i = 0; i < 100; i++) {
      connect("a" + i);
      tell(trimmer);
    }
    loop.pass(Duration.ofMinutes(2));
    assertThat(connections).hasSize(100);
    assertThat(looks).isZero();
    assertThat(loop.hasTimers()).isFalse();
  }

  @Test
  @DisplayName("With the host its timers end")
  void endsWithTheHost() {
    ConnectionTrimmer trimmer = start(marks(1, 1).idleTimeout(Duration.ofMinutes(1)).build());
    connect("a");
    connect("b");
    tell(trimmer);
    assertThat(loop.hasTimers()).isTrue();
    trimmer.onHostShutdown();
    loop.run();
    assertThat(loop.hasTimers()).isFalse();
    tell(trimmer);
    assertThat(loop.hasTimers()).isFalse();
    assertThat(connections).hasSize(2);
  }

  /** A connection that says what it is told to. */
  private final class Fake implements Reclaimable {
    final PeerId peer = PeerId.of(PrivateKey.generateEd25519().publicKey());
    final String name;
    final long openedAt = loop.now();
    long unusedSince = loop.now();
    int users;
    boolean usedAtLastMoment;

    Fake(String name) {
      this.name = name;
    }

    void use() {
      unusedSince = loop.now();
    }

    @Override
    public PeerId remotePeer() {
      return peer;
    }

    @Override
    public boolean isInitiator() {
      return true;
    }

    @Override
    public long openedAt() {
      return openedAt;
    }

    @Override
    public OptionalLong unusedSince() {
      return users == 0 ? OptionalLong.of(unusedSince) : OptionalLong.empty();
    }

    @Override
    public boolean closeIfUnusedSince(long when) {
      return !usedAtLastMoment && users == 0 && when == unusedSince && connections.remove(this);
    }

    @Override
    public String toString() {
      return name;
    }
  }
}
