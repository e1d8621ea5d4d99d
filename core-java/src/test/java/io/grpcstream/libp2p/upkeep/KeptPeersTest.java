package io.grpcstream.libp2p.upkeep;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.Connection;
import io.grpcstream.libp2p.DialException;
import io.grpcstream.libp2p.LogLines;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.PeerIdMismatchException;
import io.grpcstream.libp2p.Registration;
import io.grpcstream.libp2p.addresses.AddressBook;
import io.grpcstream.libp2p.connection.Reclaimable;
import io.grpcstream.libp2p.crypto.PrivateKey;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class KeptPeersTest {
  private static final PeerId PEER = PeerId.of(PrivateKey.generateEd25519().publicKey());
  private static final Multiaddr ADDRESS = Multiaddr.parse("/ip4/10.0.0.1/tcp/1");

  private final Loop loop = new Loop();
  private final ProtectedPeers protectedPeers = new ProtectedPeers();
  private final AddressBook book = new AddressBook(loop::now, 1 << 20, dropped -> {});
  private final Set<PeerId> connected = new HashSet<>();

  /** When dials began, in ms since the test did. */
  private final List<Long> dials = new ArrayList<>();

  private final List<Collection<Multiaddr>> addresses = new ArrayList<>();
  private final long began = loop.now();
  private double random = 1;
  private Supplier<CompletableFuture<?>> outcome = KeptPeersTest::unreachable;
  private final List<Fake> connections = new ArrayList<>();
  private final KeptPeers kept = keptBy(lesserThan(PEER));

  private KeptPeers keptBy(PeerId self) {
    return new KeptPeers(
        self,
        (peer, at) -> {
          dials.add((loop.now() - began) / 1_000_000);
          addresses.add(at);
          return outcome.get();
        },
        connected::contains,
        peer -> List.copyOf(connections),
        protectedPeers,
        book,
        loop::now,
        () -> random);
  }

  private static PeerId lesserThan(PeerId other) {
    return one(id -> Arrays.compareUnsigned(id.bytes(), other.bytes()) < 0);
  }

  private static PeerId greaterThan(PeerId other) {
    return one(id -> Arrays.compareUnsigned(id.bytes(), other.bytes()) > 0);
  }

  private static PeerId one(Predicate<PeerId> fitting) {
    return Stream.generate(() -> PeerId.of(PrivateKey.generateEd25519().publicKey()))
        .filter(fitting)
        .findFirst()
        .orElseThrow();
  }

  /** A connection with the peer, which this host has dialled or the peer. */
  private final class Fake implements Reclaimable {
    private final boolean initiator;
    private boolean used;

    Fake(boolean initiator) {
      this.initiator = initiator;
      connections.add(this);
    }

    @Override
    public PeerId remotePeer() {
      return PEER;
    }

    @Override
    public boolean isInitiator() {
      return initiator;
    }

    @Override
    public long openedAt() {
      return 0;
    }

    @Override
    public OptionalLong unusedSince() {
      return used ? OptionalLong.empty() : OptionalLong.of(7);
    }

    @Override
    public boolean closeIfUnusedSince(long when) {
      return !used && when == 7 && connections.remove(this);
    }
  }

  private void start() {
    kept.start(loop.executor());
    loop.run();
  }

  private static CompletableFuture<?> unreachable() {
    return CompletableFuture.failedFuture(
        new DialException("cannot reach peer " + PEER, PEER, List.of(ADDRESS), List.of()));
  }

  private static CompletableFuture<?> impostor() {
    PeerId other = PeerId.of(PrivateKey.generateEd25519().publicKey());
    return CompletableFuture.failedFuture(new PeerIdMismatchException(PEER, other, ADDRESS));
  }

  private static Connection connection() {
    return (Connection)
        Proxy.newProxyInstance(
            KeptPeersTest.class.getClassLoader(),
            new Class<?>[] {Connection.class},
            (proxy, method, arguments) -> PEER);
  }

  private CompletableFuture<?> reach() {
    connect();
    return CompletableFuture.completedFuture(null);
  }

  private void connect() {
    connected.add(PEER);
    kept.onConnected(connection());
  }

  private void disconnect() {
    connected.remove(PEER);
    kept.onDisconnected(connection());
  }

  @Test
  @DisplayName("A peer that cannot be reached is dialled after 1, 2, 4 and so on up to 120 seconds")
  void delaysGrow() {
    kept.keep(PEER, List.of(ADDRESS));
    loop.run();
    assertThat(dials).as("before the start").isEmpty();
    start();
    assertThat(dials).containsExactly(0L);
    loop.pass(Duration.ofSeconds(500));
    assertThat(dials)
        .containsExactly(
            0L, 1_000L, 3_000L, 7_000L, 15_000L, 31_000L, 63_000L, 127_000L, 247_000L, 367_000L,
            487_000L);
    assertThat(addresses).allSatisfy(each -> assertThat(each).containsExactly(ADDRESS));
    assertThat(kept.dials()).isEqualTo(11);
    assertThat(kept.size()).isEqualTo(1);
    assertThat(kept.connected()).isZero();
  }

  @Test
  @DisplayName("Of two hosts that dial each other the one with the greater id closes its own")
  void crossedDialsOfTheGreater() {
    KeptPeers own = keptBy(greaterThan(PEER));
    own.start(loop.executor());
    own.keep(PEER, List.of());
    connected.add(PEER);
    Fake dialled = new Fake(true);
    own.onConnected(connection());
    loop.pass(Duration.ofMinutes(1));
    assertThat(connections).as("it is the only one").containsExactly(dialled);

    dialled.used = true;
    Fake theirs = new Fake(false);
    own.onConnected(connection());
    loop.pass(Duration.ofMinutes(1));
    assertThat(connections).as("it is in use").containsExactly(dialled, theirs);
    dialled.used = false;
    loop.pass(KeptPeer.SETTLED);
    assertThat(connections).containsExactly(theirs);
    loop.pass(Duration.ofMinutes(1));
    assertThat(dials).as("all at the start").hasSizeLessThanOrEqualTo(1);
    assertThat(loop.hasTimers()).isFalse();
  }

  @Test
  @DisplayName("And the one with the lesser id closes none")
  void crossedDialsOfTheLesser() {
    start();
    kept.keep(PEER, List.of());
    connected.add(PEER);
    Fake dialled = new Fake(true);
    Fake theirs = new Fake(false);
    kept.onConnected(connection());
    loop.pass(Duration.ofMinutes(1));
    assertThat(connections).containsExactly(dialled, theirs);
    assertThat(loop.hasTimers()).isFalse();
  }

  @Test
  @DisplayName("A peer that is kept no longer has its connections left")
  void crossedDialsOfAPeerNoLongerKept() {
    KeptPeers own = keptBy(greaterThan(PEER));
    own.start(loop.executor());
    Registration registration = own.keep(PEER, List.of());
    connected.add(PEER);
    new Fake(true);
    new Fake(false);
    own.onConnected(connection());
    loop.run();
    registration.close();
    loop.pass(Duration.ofMinutes(1));
    assertThat(connections).hasSize(2);
  }

  @Test
  @DisplayName("Of each delay at least half is waited")
  void jitter() {
    random = 0;
    start();
    kept.keep(PEER, List.of());
    loop.pass(Duration.ofSeconds(4));
    assertThat(dials).containsExactly(0L, 500L, 1_500L, 3_500L);
  }

  @Test
  @DisplayName("A connected peer is not dialled, and soon when a connection that lasted is lost")
  void aConnectionThatLasted() {
    start();
    kept.keep(PEER, List.of());
    loop.pass(Duration.ofSeconds(100));
    int before = dials.size();
    connect();
    loop.pass(Duration.ofMinutes(10));
    assertThat(dials).hasSize(before);
    assertThat(kept.connected()).isEqualTo(1);
    outcome = this::reach;
    disconnect();
    loop.pass(Duration.ofSeconds(1));
    assertThat(dials).hasSize(before + 1);
    loop.pass(Duration.ofMinutes(10));
    assertThat(dials).hasSize(before + 1);
  }

  @Test
  @DisplayName("A peer that ends each connection at once is dialled ever less often")
  void aPeerThatTurnsUsAway() {
    outcome =
        () -> {
          reach();
          disconnect();
          return CompletableFuture.completedFuture(null);
        };
    start();
    kept.keep(PEER, List.of());
    loop.pass(Duration.ofMinutes(1));
    assertThat(dials).containsExactly(0L, 1_000L, 3_000L, 7_000L, 15_000L, 31_000L);

    outcome = this::reach;
    loop.pass(Duration.ofSeconds(32));
    disconnect();
    loop.pass(Duration.ofSeconds(95));
    disconnect();
    loop.pass(Duration.ofSeconds(2));
    assertThat(dials.subList(6, dials.size()))
        .as("one connection stood for 29 s, and one for 31 s")
        .containsExactly(63_000L, 156_000L, 188_000L);
  }

  @Test
  @DisplayName("At an address where another peer answers the delay is the longest at once")
  void anImpostorIsLetAlone() {
    try (LogLines log = new LogLines()) {
      outcome = KeptPeersTest::impostor;
      start();
      kept.keep(PEER, List.of(ADDRESS));
      loop.pass(Duration.ofMinutes(5));
      assertThat(dials).containsExactly(0L, 120_000L, 240_000L);
      assertThat(log.lines()).filteredOn(line -> line.contains("kept connected")).hasSize(1);
      log.await(PEER, "cannot be reached", "120 s", ADDRESS);
    }
  }

  @Test
  @DisplayName(
      "An address that becomes known is dialled at once, but not sooner than 1 s after the last")
  void news() {
    start();
    kept.keep(PEER, List.of());
    loop.pass(Duration.ofSeconds(64));
    int before = dials.size();
    loop.pass(Duration.ofSeconds(5));
    kept.onAddress(PEER);
    loop.run();
    assertThat(dials).hasSize(before + 1);
    for (int i = 0; i < 100; i++) {
      kept.onAddress(PEER);
      loop.pass(Duration.ofMillis(100));
    }
    assertThat(dials.size()).isBetween(before + 10, before + 12);
  }

  @Test
  @DisplayName("What becomes known while a dial is under way is dialled after it")
  void newsDuringADial() {
    CompletableFuture<Void> slow = new CompletableFuture<>();
    outcome = () -> slow;
    start();
    kept.keep(PEER, List.of());
    loop.pass(Duration.ofSeconds(100));
    assertThat(dials).hasSize(1);
    kept.onAddress(PEER);
    loop.pass(Duration.ofSeconds(1));
    assertThat(dials).hasSize(1);
    outcome = this::reach;
    slow.completeExceptionally(new DialException("no", PEER, List.of(), List.of()));
    loop.run();
    assertThat(dials).hasSize(2);
  }

  @Test
  @DisplayName("The peer is protected and dialled until the last registration is closed")
  void theLastRegistrationEndsIt() {
    start();
    Registration first = kept.keep(PEER, List.of());
    Registration second = kept.keep(PEER, List.of(ADDRESS));
    assertThat(protectedPeers.contains(PEER)).isTrue();
    loop.pass(Duration.ofSeconds(2));
    first.close();
    first.close();
    assertThat(kept.size()).isEqualTo(1);
    assertThat(protectedPeers.contains(PEER)).isTrue();
    int before = dials.size();
    loop.pass(Duration.ofSeconds(10));
    assertThat(dials.size()).isGreaterThan(before);
    second.close();
    loop.run();
    assertThat(protectedPeers.contains(PEER)).isFalse();
    assertThat(kept.size()).isZero();
    assertThat(loop.hasTimers()).isFalse();
    int after = dials.size();
    loop.pass(Duration.ofMinutes(10));
    assertThat(dials).hasSize(after);
  }

  @Test
  @DisplayName("A dial under way is given up with the registration")
  void closedDuringADial() {
    CompletableFuture<Void> slow = new CompletableFuture<>();
    outcome = () -> slow;
    start();
    Registration registration = kept.keep(PEER, List.of());
    loop.run();
    registration.close();
    loop.run();
    assertThat(slow).isCancelled();
    loop.pass(Duration.ofMinutes(10));
    assertThat(dials).hasSize(1);
  }

  @Test
  @DisplayName("With the host it ends, and nobody is kept after that")
  void endsWithTheHost() {
    start();
    Registration registration = kept.keep(PEER, List.of());
    loop.pass(Duration.ofSeconds(2));
    kept.onHostShutdown();
    loop.run();
    assertThat(loop.hasTimers()).isFalse();
    assertThat(protectedPeers.contains(PEER)).isFalse();
    int after = dials.size();
    registration.close();
    kept.keep(PEER, List.of()).close();
    loop.pass(Duration.ofMinutes(10));
    assertThat(dials).hasSize(after);
    assertThat(kept.size()).isZero();
  }

  @Test
  @DisplayName("Where a kept peer was is not forgotten when it is gone for long")
  void addressesStayKnown() {
    start();
    Registration registration = kept.keep(PEER, List.of());
    book.connected(PEER);
    book.reachedAt(PEER, ADDRESS);
    book.disconnected(PEER);
    loop.pass(Duration.ofMinutes(30));
    assertThat(book.addresses(PEER)).containsExactly(ADDRESS);
    registration.close();
    loop.pass(Duration.ofMinutes(9));
    assertThat(book.addresses(PEER)).containsExactly(ADDRESS);
    loop.pass(Duration.ofMinutes(2));
    assertThat(book.addresses(PEER)).isEmpty();
  }
}
