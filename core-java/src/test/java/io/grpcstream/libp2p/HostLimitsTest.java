package io.grpcstream.libp2p;

import static io.grpcstream.libp2p.TestHosts.ECHO;
import static io.grpcstream.libp2p.TestHosts.address;
import static io.grpcstream.libp2p.TestHosts.await;
import static io.grpcstream.libp2p.TestHosts.echo;
import static io.grpcstream.libp2p.TestHosts.eventually;
import static io.grpcstream.libp2p.TestHosts.failure;
import static io.grpcstream.libp2p.TestHosts.noStreams;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What a host refuses: by its limits, its gater, its deadlines. Each refusal is counted. */
class HostLimitsTest {
  private final TestHosts hosts = new TestHosts();

  @AfterEach
  void close() {
    hosts.close();
  }

  private Host server(String listen, UnaryOperator<Limits.Builder> limits) {
    return hosts.start(
        builder -> builder.listen(listen).limits(limits.apply(Limits.builder()).build()));
  }

  private Host gated(ConnectionGater gater) {
    return hosts.start(builder -> builder.listen(TestHosts.MEMORY).gater(gater));
  }

  private static void counted(Host host, Refusal refusal, long times) {
    eventually(refusal + " counted", () -> host.stats().refusals(refusal) == times);
  }

  private static Socket rawConnection(Host host) throws Exception {
    int port = Integer.parseInt(address(host).value("tcp").orElseThrow());
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setSoTimeout(20_000);
    return socket;
  }

  /** Reads to the end that the other side makes, by close or reset. */
  private static void awaitEnd(Socket socket) {
    try {
      while (socket.getInputStream().read() >= 0) {
        assertThat(socket.isConnected()).isTrue();
      }
    } catch (java.net.SocketException e) {
      assertThat(e).hasMessageContaining("reset");
    } catch (java.io.IOException e) {
      throw new AssertionError("the connection did not end", e);
    }
  }

  @Test
  @DisplayName("A peer that connects and says nothing is cut at the deadline")
  void peerThatConnectsAndSaysNothing() throws Exception {
    Host host = server(TestHosts.TCP, l -> l.acceptTimeout(Duration.ofMillis(200)));
    try (Socket socket = rawConnection(host)) {
      awaitEnd(socket);
    }
    counted(host, Refusal.UPGRADE_FAILED, 1);
    eventually("slots are free", () -> host.stats().inboundConnections() == 0);
    assertThat(host.stats().pendingInboundConnections()).isZero();
  }

  @Test
  void aPeerThatSpeaksGarbageIsCutAndOthersGoOn() throws Exception {
    Host host = server(TestHosts.TCP, l -> l);
    Host client = hosts.start(builder -> builder);
    Stream stream = await(client.newStream(address(host), ECHO));
    for (int i = 0; i < 20; i++) {
      try (Socket socket = rawConnection(host)) {
        socket
            .getOutputStream()
            .write(
                "GET / HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\n"
                    .repeat(20)
                    .getBytes(StandardCharsets.US_ASCII));
        awaitEnd(socket);
      }
    }
    counted(host, Refusal.UPGRADE_FAILED, 20);
    assertThat(echo(stream, "fine")).isEqualTo("fine");
    eventually("slots are free", () -> host.stats().inboundConnections() == 1);
  }

  @Test
  void silentConnectionsAreBounded() throws Exception {
    Host host = server(TestHosts.TCP, l -> l.pendingInboundConnections(3));
    List<Socket> sockets = new ArrayList<>();
    try {
      for (int i = 0; i < 3; i++) {
        sockets.add(rawConnection(host));
      }
      eventually("three pending", () -> host.stats().pendingInboundConnections() == 3);
      try (Socket fourth = rawConnection(host)) {
        awaitEnd(fourth);
      }
      counted(host, Refusal.PENDING_CONNECTIONS, 1);
    } finally {
      for (Socket socket : sockets) {
        socket.close();
      }
    }
    eventually("none pending", () -> host.stats().pendingInboundConnections() == 0);
    Host client = hosts.start(builder -> builder);
    assertThat(echo(await(client.newStream(address(host), ECHO)), "x")).isEqualTo("x");
  }

  @Test
  void connectionsInAllAndPerPeerAreBounded() {
    Host host = server(TestHosts.MEMORY, l -> l.connections(2));
    Host first = hosts.start(builder -> builder);
    Host second = hosts.start(builder -> builder);
    Host third = hosts.start(builder -> builder);
    await(first.newStream(address(host), ECHO));
    await(second.newStream(address(host), ECHO));

    assertThat(failure(third.newStream(address(host), ECHO)))
        .isInstanceOf(DialException.class)
        .hasMessageContaining(address(host).withoutPeerId().toString());
    counted(host, Refusal.CONNECTIONS, 1);

    second.connections().get(0).close();
    eventually("a place is free", () -> host.stats().inboundConnections() == 1);
    assertThat(echo(await(third.newStream(address(host), ECHO)), "x")).isEqualTo("x");
  }

  @Test
  void connectionsOfOnePeerAreBounded() {
    Host host = server(TestHosts.MEMORY, l -> l.connectionsPerPeer(1));
    Host client = hosts.start(builder -> builder.listen(TestHosts.MEMORY));
    await(client.newStream(address(host), ECHO));
    Host sameIdentity = hosts.start(builder -> builder);
    assertThat(await(sameIdentity.newStream(address(host), ECHO))).isNotNull();

    assertThat(host.connections(client.peerId())).hasSize(1);
    // The host's own dial to the peer is its second connection.
    assertThat(failure(host.connect(address(client).withoutPeerId())))
        .isInstanceOfSatisfying(
            LimitExceededException.class,
            e -> assertThat(e.refusal()).isEqualTo(Refusal.CONNECTIONS_PER_PEER));
    counted(host, Refusal.CONNECTIONS_PER_PEER, 1);
    eventually("its slot is free", () -> host.stats().outboundConnections() == 0);
  }

  @Test
  void inboundStreamsOfAPeerAreBoundedAndOthersGoOn() {
    Host host = server(TestHosts.MEMORY, l -> l.inboundStreamsPerProtocol(2));
    Host client = hosts.start(builder -> builder);
    Stream first = await(client.newStream(address(host), ECHO));
    Stream second = await(client.newStream(address(host), ECHO));

    refused(client, host);
    counted(host, Refusal.STREAMS_PER_PROTOCOL, 1);

    assertThat(echo(first, "one")).isEqualTo("one");
    second.close();
    await(second.closed());
    eventually("a place is free", () -> host.stats().inboundStreams() < 2);
    assertThat(echo(await(client.newStream(address(host), ECHO)), "x")).isEqualTo("x");
  }

  /** The stream either does not come about, or is reset at once. */
  private static void refused(Host client, Host host) {
    CompletableFuture<Void> ended = new CompletableFuture<>();
    client
        .newStream(address(host), ECHO)
        .whenComplete(
            (stream, failure) -> {
              if (stream == null) {
                ended.complete(null);
              } else {
                stream.channel().read();
                stream.closed().thenRun(() -> ended.complete(null));
              }
            });
    await(ended);
  }

  @Test
  @DisplayName("Outbound streams are bounded before anything is sent")
  void outboundStreamsAreBounded() {
    Host host = server(TestHosts.MEMORY, l -> l);
    Host client =
        hosts.start(
            builder -> builder.limits(Limits.builder().outboundStreamsPerProtocol(2).build()));
    await(client.newStream(address(host), ECHO));
    Stream second = await(client.newStream(address(host), ECHO));

    assertThat(failure(client.newStream(address(host), ECHO)))
        .isInstanceOfSatisfying(
            LimitExceededException.class,
            e -> assertThat(e.refusal()).isEqualTo(Refusal.STREAMS_PER_PROTOCOL))
        .hasMessageContainingAll("2", ECHO, host.peerId().toString());
    counted(client, Refusal.STREAMS_PER_PROTOCOL, 1);

    second.reset();
    await(second.closed());
    assertThat(echo(await(client.newStream(address(host), ECHO)), "x")).isEqualTo("x");
    client.connections().forEach(Connection::close);
    noStreams(client);
    noStreams(host);
  }

  @Test
  void aGaterRefusesBeforeADial() {
    Host server = hosts.start();
    List<Multiaddr> asked = new ArrayList<>();
    Host client =
        gated(
            new ConnectionGater() {
              @Override
              public boolean allowDial(@Nullable PeerId peer, Multiaddr address) {
                asked.add(address);
                return false;
              }
            });

    assertThat(failure(client.newStream(address(server), ECHO)))
        .isInstanceOfSatisfying(
            GatedException.class, e -> assertThat(e.refusal()).isEqualTo(Refusal.GATED_DIAL))
        .hasMessageContainingAll(
            address(server).withoutPeerId().toString(), server.peerId().toString());
    assertThat(asked).containsExactly(address(server).withoutPeerId());
    counted(client, Refusal.GATED_DIAL, 1);
  }

  @Test
  void aGaterRefusesARawConnection() {
    Host server =
        gated(
            new ConnectionGater() {
              @Override
              public boolean allowAccept(Multiaddr remoteAddress) {
                throw new IllegalStateException("a gater that fails refuses");
              }
            });
    Host client = hosts.start(builder -> builder);

    assertThat(failure(client.newStream(address(server), ECHO))).isInstanceOf(DialException.class);
    counted(server, Refusal.GATED_ACCEPT, 1);
    eventually("slots are free", () -> server.stats().inboundConnections() == 0);
  }

  @Test
  void aGaterRefusesAKnownPeerInBothDirections() {
    Host plain = hosts.start();
    Host gated =
        gated(
            new ConnectionGater() {
              @Override
              public boolean allowPeer(PeerId peer, Multiaddr remoteAddress, boolean initiator) {
                return !peer.equals(plain.peerId());
              }
            });

    assertThat(failure(gated.newStream(address(plain), ECHO)))
        .isInstanceOfSatisfying(
            GatedException.class, e -> assertThat(e.refusal()).isEqualTo(Refusal.GATED_PEER))
        .hasMessageContaining(plain.peerId().toString());
    assertThat(failure(plain.newStream(address(gated), ECHO))).isInstanceOf(Libp2pException.class);

    eventually("both counted", () -> gated.stats().refusals(Refusal.GATED_PEER) >= 2);
    eventually("nothing is held", () -> plain.connections().isEmpty());
    assertThat(gated.connections()).isEmpty();
    Host other = hosts.start(builder -> builder);
    assertThat(echo(await(other.newStream(address(gated), ECHO)), "x")).isEqualTo("x");
  }
}
