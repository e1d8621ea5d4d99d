package io.grpcstream.libp2p;

import static io.grpcstream.libp2p.TestHosts.ECHO;
import static io.grpcstream.libp2p.TestHosts.address;
import static io.grpcstream.libp2p.TestHosts.await;
import static io.grpcstream.libp2p.TestHosts.echo;
import static io.grpcstream.libp2p.TestHosts.eventually;
import static io.grpcstream.libp2p.TestHosts.noStreams;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpcstream.libp2p.connection.Reclaimable;
import io.grpcstream.libp2p.crypto.PrivateKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Which connections hosts close by themselves, and which they make again. */
@Timeout(120)
class HostUpkeepTest {
  private static final Duration SOON = Duration.ofMillis(50);

  private final TestHosts hosts = new TestHosts();

  @AfterEach
  void close() {
    hosts.close();
  }

  private Host manager(UnaryOperator<ConnectionManager.Builder> options) {
    return hosts.start(
        builder ->
            builder
                .listen(TestHosts.MEMORY)
                .connectionManager(options.apply(ConnectionManager.builder()).build()));
  }

  /** A connection whose peers have nothing to say to each other any more. */
  private Host connect(Host to) {
    Host peer = hosts.start();
    await(peer.connect(address(to)));
    eventually("they know each other", () -> isKnown(peer, to) && isKnown(to, peer));
    noStreams(peer);
    noStreams(to);
    return peer;
  }

  private static boolean isKnown(Host host, Host peer) {
    return host.connections(peer.peerId()).stream().anyMatch(c -> c.peerInfo().isPresent());
  }

  private static boolean areConnected(Host a, Host b) {
    return !a.connections(b.peerId()).isEmpty() && !b.connections(a.peerId()).isEmpty();
  }

  @Test
  @DisplayName("Above the high-water mark unused connections go, those in use and protected stay")
  void waterMarks() {
    Host server =
        manager(builder -> builder.waterMarks(2, 5).gracePeriod(Duration.ZERO).silencePeriod(SOON));
    List<Connection> ended = new ArrayList<>();
    Host used = connect(server);
    Host kept = connect(server);
    server.protect(kept.peerId(), "mine");
    Host longestUnused = connect(server);
    longestUnused.addListener(
        new ConnectionListener() {
          @Override
          public void onDisconnected(Connection connection) {
            ended.add(connection);
          }
        });
    Host other = connect(server);
    Stream stream = await(used.newStream(server.peerId(), ECHO));
    echo(stream, "in use");
    Host fifth = hosts.start();
    await(fifth.connect(address(server)));
    eventually("they know each other", () -> isKnown(fifth, server) && isKnown(server, fifth));
    eventually(
        () -> "nothing but the echo uses connections, have " + server.stats(),
        () -> server.stats().inboundStreams() == 1 && server.stats().outboundStreams() == 0);
    assertThat(server.stats().upkeep().trimmed()).isZero();

    Host sixth = hosts.start();
    await(sixth.connect(address(server)));
    eventually(
        () -> "at the low-water mark, without the protected one: " + server.connections(),
        () -> server.connections().size() == 3);
    eventually("three were trimmed", () -> server.stats().upkeep().trimmed() == 3);
    assertThat(areConnected(server, used)).isTrue();
    assertThat(areConnected(server, kept)).isTrue();
    assertThat(echo(stream, "still")).isEqualTo("still");
    eventually("the peer is told", () -> longestUnused.connections().isEmpty());
    eventually("its listener, too", () -> ended.size() == 1);
    assertThat(server.connections(other.peerId())).isEmpty();
    assertThat(server.stats().refusals()).isEmpty();
    assertThat(longestUnused.stats().refusals()).isEmpty();

    assertThat(echo(await(longestUnused.newStream(address(server), ECHO)), "b")).isEqualTo("b");
  }

  @Test
  @DisplayName("An unused connection is closed after the idle time-out, one with a stream is not")
  void idleTimeout() {
    Host host = manager(builder -> builder.idleTimeout(SOON));
    Host used = hosts.start();
    Host other = hosts.start();
    Stream stream = await(host.newStream(address(used), ECHO));
    echo(stream, "x");
    await(host.connect(address(other)));
    eventually("the unused one is closed", () -> host.connections(other.peerId()).isEmpty());
    eventually("on both sides", () -> other.connections().isEmpty());
    eventually("it is counted", () -> host.stats().upkeep().idleClosed() == 1);
    assertThat(echo(stream, "quiet, but open")).isEqualTo("quiet, but open");

    stream.close();
    eventually("now the other one, too", () -> host.connections().isEmpty());
    eventually("it is counted, too", () -> host.stats().upkeep().idleClosed() == 2);
    assertThat(echo(await(host.newStream(used.peerId(), ECHO)), "again")).isEqualTo("again");
  }

  @Test
  @DisplayName("Pings of a peer do not keep its connection")
  void pingsAreNoUse() {
    Host host = manager(builder -> builder.idleTimeout(SOON));
    Host pinging = hosts.start();
    Connection connection = await(pinging.connect(address(host)));
    Stream stream = await(connection.newStream("/ipfs/ping/1.0.0"));
    assertThat(stream.channel().isActive()).isTrue();
    await(connection.closed());
    eventually("by the idle time-out", () -> host.stats().upkeep().idleClosed() == 1);
  }

  @Test
  @DisplayName("A protected peer's unused connection stays until its tag is taken off")
  void protectedFromIdleTimeout() {
    Host host = manager(builder -> builder.idleTimeout(SOON));
    Host mine = hosts.start();
    Host other = hosts.start();
    host.protect(mine.peerId(), "tag");
    assertThat(host.isProtected(mine.peerId())).isTrue();
    await(host.connect(address(mine)));
    for (int i = 1; i <= 3; i++) {
      long closed = i;
      await(host.connect(address(other)));
      eventually("another is closed", () -> host.stats().upkeep().idleClosed() == closed);
    }
    assertThat(areConnected(host, mine)).isTrue();
    assertThat(host.unprotect(mine.peerId(), "tag")).isFalse();
    assertThat(host.isProtected(mine.peerId())).isFalse();
    eventually("now it is closed", () -> host.connections().isEmpty());
  }

  @Test
  @DisplayName("A stream that is opened as its connection is given up, on this side, is not lost")
  void raceHere() {
    Host server = hosts.start(builder -> builder.listen(TestHosts.TCP));
    Host client = hosts.start();
    race(client, server, client, 200);
  }

  @Test
  @DisplayName("A stream that is opened as its connection is given up by the peer is not lost")
  void raceThere() {
    Host server = hosts.start(builder -> builder.listen(TestHosts.TCP));
    Host client = hosts.start();
    race(client, server, server, 200);
  }

  /** {@code closing} gives up the one connection there is as {@code opener} opens a stream. */
  private static void race(Host opener, Host peer, Host closing, int times) {
    int lost = 0;
    for (int i = 0; i < times; i++) {
      eventually("one connection", () -> oneConnection(opener, peer));
      noStreams(opener);
      noStreams(peer);
      Reclaimable connection = (Reclaimable) closing.connections().get(0);
      CompletableFuture<Boolean> closed =
          CompletableFuture.supplyAsync(
              () -> {
                aMoment();
                var since = connection.unusedSince();
                return since.isPresent() && connection.closeIfUnusedSince(since.getAsLong());
              });
      if (i % 2 == 1) {
        aMoment();
      }
      Stream stream = await(opener.newStream(address(peer), ECHO));
      assertThat(echo(stream, "whole")).isEqualTo("whole");
      stream.close();
      if (await(closed)) {
        lost++;
        await(((Connection) connection).closed()); // Which may have begun after the echo.
      }
    }
    assertThat(lost).as("so often it was given up").isPositive();
  }

  private static void aMoment() {
    LockSupport.parkNanos(ThreadLocalRandom.current().nextInt(1, 400_000));
  }

  /** Whether both have one connection, which is the same: neither has one yet that is to go. */
  private static boolean oneConnection(Host opener, Host peer) {
    await(opener.connect(address(peer)));
    List<Connection> opened = opener.connections();
    List<Connection> accepted = peer.connections();
    return opened.size() == 1
        && accepted.size() == 1
        && opened.get(0).isOpen()
        && accepted.get(0).isOpen()
        && accepted
            .get(0)
            .remoteAddress()
            .value("tcp")
            .equals(opened.get(0).localAddress().value("tcp"));
  }

  @Test
  @DisplayName("Connections given up leave nothing behind")
  void nothingIsLeft() {
    Host host = manager(builder -> builder.idleTimeout(Duration.ofMillis(5)));
    for (int i = 0; i < 20; i++) {
      await(hosts.start().connect(address(host)));
    }
    eventually(
        () -> "all are closed: " + host.stats(),
        () -> host.stats().inboundConnections() == 0 && host.stats().upkeep().idleClosed() == 20);
    noStreams(host);
    assertThat(host.connections()).isEmpty();
  }

  @Test
  @DisplayName("A kept peer is connected before it is asked for, and again when it restarts")
  void keptPeerRestarts() {
    PrivateKey identity = PrivateKey.generateEd25519();
    Host peer = hosts.start(builder -> builder.identity(identity).listen(TestHosts.TCP));
    Host host = hosts.build(builder -> builder);
    String where = address(peer).withoutPeerId().toString();
    Registration kept = host.keepConnected(peer.peerId(), List.of(address(peer)));
    assertThat(host.isProtected(peer.peerId())).isTrue();
    await(host.start());
    eventually("it is connected", () -> areConnected(host, peer));

    await(peer.shutdown(Duration.ZERO));
    eventually("it is gone", () -> host.connections().isEmpty());
    Host again = hosts.start(builder -> builder.identity(identity).listen(where));
    eventually("it is connected again", () -> areConnected(host, again));
    HostStats.Upkeep upkeep = host.stats().upkeep();
    assertThat(upkeep.keptPeers()).isEqualTo(1);
    assertThat(upkeep.keptPeersConnected()).isEqualTo(1);
    assertThat(upkeep.keptDials()).isGreaterThanOrEqualTo(2);

    kept.close();
    assertThat(host.isProtected(peer.peerId())).isFalse();
    assertThat(areConnected(host, again)).as("its end closes nothing").isTrue();
    long dials = host.stats().upkeep().keptDials();
    await(again.shutdown(Duration.ZERO));
    eventually("it is gone again", () -> host.connections().isEmpty());
    assertThat(host.stats().upkeep()).isEqualTo(new HostStats.Upkeep(0, 0, 0, 0, dials));
  }

  @Test
  @DisplayName("A kept peer that is away is connected when an address of it becomes known")
  void keptPeerIsAway() {
    PrivateKey identity = PrivateKey.generateEd25519();
    PeerId id = PeerId.of(identity.publicKey());
    Host host = hosts.start();
    host.keepConnected(id);
    eventually("it was looked for", () -> host.stats().upkeep().keptDials() >= 1);
    assertThat(host.connections()).isEmpty();
    Host peer = hosts.start(builder -> builder.identity(identity).listen(TestHosts.MEMORY));
    host.addAddress(id, address(peer));
    eventually("it is connected", () -> areConnected(host, peer));
  }

  @Test
  @DisplayName("A kept peer may connect by itself")
  void keptPeerConnects() {
    PrivateKey identity = PrivateKey.generateEd25519();
    Host host = hosts.start();
    Registration kept = host.keepConnected(PeerId.of(identity.publicKey()));
    Host peer = hosts.start(builder -> builder.identity(identity));
    await(peer.connect(address(host)));
    eventually("it counts", () -> host.stats().upkeep().keptPeersConnected() == 1);
    kept.close();
    assertThat(host.stats().upkeep().keptPeers()).isZero();
  }

  @Test
  @DisplayName("A kept peer's unused connection stays above the marks and beyond the idle time-out")
  void keptPeerIsProtected() {
    Host host = manager(builder -> builder.idleTimeout(SOON));
    Host mine = hosts.start();
    Host other = hosts.start();
    Registration kept = host.keepConnected(mine.peerId(), List.of(address(mine)));
    eventually("it is connected", () -> areConnected(host, mine));
    await(host.connect(address(other)));
    eventually("another is closed", () -> host.stats().upkeep().idleClosed() == 1);
    assertThat(areConnected(host, mine)).isTrue();
    kept.close();
    eventually("it is as others", () -> host.connections().isEmpty());
  }

  @Test
  @DisplayName("Kept peers end with the host, and none is taken after that")
  void keptPeersEndWithTheHost() {
    ConcurrentLinkedQueue<PeerId> dialled = new ConcurrentLinkedQueue<>();
    Host host =
        hosts.start(
            builder ->
                builder.gater(
                    new ConnectionGater() {
                      @Override
                      public boolean allowDial(PeerId peer, Multiaddr address) {
                        dialled.add(peer);
                        return true;
                      }
                    }));
    PeerId away = PeerId.of(PrivateKey.generateEd25519().publicKey());
    Registration kept = host.keepConnected(away, List.of(Multiaddr.parse("/memory/4294967290")));
    eventually("it is dialled", () -> dialled.contains(away));
    await(host.shutdown(Duration.ZERO));
    assertThat(host.stats().upkeep().keptPeers()).isZero();
    kept.close();
    Registration late = host.keepConnected(away);
    assertThat(host.stats().upkeep().keptPeers()).isZero();
    assertThat(host.isProtected(away)).isFalse();
    late.close();
  }

  @Test
  @DisplayName("A host cannot be kept connected with itself, nor at another peer's address")
  void nonsenseIsRefused() {
    Host host = hosts.start();
    Host peer = hosts.start();
    assertThatThrownBy(() -> host.keepConnected(host.peerId()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("it is this host");
    assertThatThrownBy(() -> host.keepConnected(peer.peerId(), List.of(address(host))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("is not an address of peer");
    assertThat(host.stats().upkeep()).isEqualTo(HostStats.Upkeep.NONE);
  }

  @Test
  @DisplayName("Two hosts that keep each other connected from the same moment end up with one")
  void crossedDials() {
    List<Host> both =
        List.of(
            hosts.build(b -> b.listen(TestHosts.TCP)), hosts.build(b -> b.listen(TestHosts.TCP)));
    both.forEach(host -> await(host.start()));
    Host first = both.get(0);
    Host second = both.get(1);
    Thread dialling =
        new Thread(() -> first.keepConnected(second.peerId(), List.of(address(second))));
    dialling.start();
    second.keepConnected(first.peerId(), List.of(address(first)));
    eventually(
        () -> "one connection each, have " + first.connections() + second.connections(),
        () ->
            !dialling.isAlive()
                && first.stats().upkeep().keptPeersConnected() == 1
                && second.stats().upkeep().keptPeersConnected() == 1
                && first.connections().size() == 1
                && second.connections().size() == 1);
  }
}
