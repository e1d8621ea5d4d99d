package io.grpcstream.libp2p;

import static io.grpcstream.libp2p.TestHosts.ECHO;
import static io.grpcstream.libp2p.TestHosts.address;
import static io.grpcstream.libp2p.TestHosts.await;
import static io.grpcstream.libp2p.TestHosts.echo;
import static io.grpcstream.libp2p.TestHosts.eventually;
import static io.grpcstream.libp2p.TestHosts.failure;
import static io.grpcstream.libp2p.TestHosts.noStreams;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.mux.yamux.Frame;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostDialTest {
  private final TestHosts hosts = new TestHosts();

  @AfterEach
  void close() {
    hosts.close();
  }

  private static PeerId stranger() {
    return PeerId.of(PrivateKey.generateEd25519().publicKey());
  }

  /** An address that refuses connections. */
  private static Multiaddr deadAddress() throws Exception {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return Multiaddr.parse("/ip4/127.0.0.1/tcp/" + socket.getLocalPort());
    }
  }

  private Host impatient(Duration dialTimeout) {
    return hosts.start(
        builder -> builder.limits(Limits.builder().dialTimeout(dialTimeout).build()));
  }

  private static void nothingIsHeld(Host host) {
    eventually(
        "nothing is held",
        () ->
            host.stats().inboundConnections() + host.stats().outboundConnections() == 0
                && host.connections().isEmpty());
    noStreams(host);
  }

  @ParameterizedTest
  @ValueSource(strings = {TestHosts.MEMORY, TestHosts.TCP})
  void theWrongPeerIsRefusedInsideTheHandshake(String listen) {
    Host server = hosts.start(builder -> builder.listen(listen));
    Host client = hosts.start(builder -> builder);
    List<PeerId> seen = new ArrayList<>();
    server.addListener(
        new ConnectionListener() {
          @Override
          public void onConnected(Connection connection) {
            seen.add(connection.remotePeer());
          }
        });
    PeerId wanted = stranger();
    Multiaddr wrong = address(server).withoutPeerId().withPeerId(wanted);

    assertThat(failure(client.newStream(wrong, ECHO)))
        .isInstanceOfSatisfying(
            PeerIdMismatchException.class,
            e -> {
              assertThat(e.expected()).isEqualTo(wanted);
              assertThat(e.actual()).isEqualTo(server.peerId());
            })
        .hasMessageContainingAll(wanted.toString(), server.peerId().toString());

    nothingIsHeld(client);
    nothingIsHeld(server);
    assertThat(seen).isEmpty();
    assertThat(client.stats().refusals(Refusal.PEER_ID_MISMATCH)).isEqualTo(1);
  }

  @Test
  void anAddressWithoutAPeerIdReachesWhoeverAnswers() {
    Host server = hosts.start();
    Host client = hosts.start(builder -> builder);
    Multiaddr bare = address(server).withoutPeerId();

    assertThat(await(client.connect(bare)).remotePeer()).isEqualTo(server.peerId());
    Stream stream = await(client.newStream(bare, ECHO));

    assertThat(echo(stream, "hello")).isEqualTo("hello");
    assertThat(client.connections()).hasSize(1);
  }

  @Test
  void aDeadAddressIsNamedWithItsReason() throws Exception {
    Host client = hosts.start(builder -> builder);
    PeerId peer = stranger();
    Multiaddr dead = deadAddress();

    assertThat(failure(client.newStream(dead.withPeerId(peer), ECHO)))
        .isInstanceOfSatisfying(
            DialException.class,
            e -> {
              assertThat(e.peer()).isEqualTo(peer);
              assertThat(e.addresses()).containsExactly(dead);
              assertThat(e).hasRootCauseInstanceOf(java.net.ConnectException.class);
            })
        .hasMessageContainingAll(peer.toString(), dead.toString(), "refused");
    nothingIsHeld(client);
  }

  @Test
  void aPeerWithoutAKnownAddressCannotBeDialled() {
    Host client = hosts.start(builder -> builder);
    PeerId peer = stranger();
    assertThat(failure(client.newStream(peer, ECHO)))
        .isInstanceOf(DialException.class)
        .hasMessageContainingAll(peer.toString(), "no address");
  }

  @Test
  void thisHostItselfIsNotDialled() {
    Host host = hosts.start();
    assertThat(failure(host.newStream(address(host), ECHO)))
        .isInstanceOf(DialException.class)
        .hasMessageContaining("this host");
    assertThat(failure(host.connect(address(host).withoutPeerId())))
        .isInstanceOf(DialException.class)
        .hasMessageContaining("this host itself");
    nothingIsHeld(host);
  }

  @Test
  @DisplayName("Addresses that no transport serves fail the dial clearly")
  void addressesThatNoTransportServes() {
    Host client = hosts.start(builder -> builder);
    for (String address : List.of("/ip4/127.0.0.1/udp/1/quic-v1", "/ip4/127.0.0.1/udp/1")) {
      assertThat(failure(client.newStream(Multiaddr.parse(address), ECHO)))
          .isInstanceOf(DialException.class)
          .hasMessageContainingAll(address, "no transport", "TCP", "/memory/");
    }
  }

  @Test
  @DisplayName("All addresses of a peer are tried, and each failure is told")
  void allAddressesAreTried() throws Exception {
    Host server = hosts.start(builder -> builder.listen(TestHosts.TCP));
    Host client = hosts.start(builder -> builder);
    Multiaddr first = deadAddress();
    Multiaddr second = Multiaddr.parse("/memory/1");
    client.addAddress(server.peerId(), first);
    client.addAddress(server.peerId(), second);

    assertThat(failure(client.newStream(server.peerId(), ECHO)))
        .isInstanceOfSatisfying(
            DialException.class,
            e -> assertThat(e.addresses()).containsExactlyInAnyOrder(first, second))
        .hasMessageContainingAll(first.toString(), second.toString());

    client.addAddress(server.peerId(), address(server));
    assertThat(echo(await(client.newStream(server.peerId(), ECHO)), "third")).isEqualTo("third");
  }

  @Test
  @DisplayName("An address that says nothing does not keep the next one waiting for the deadline")
  void silentAddressDelaysNoOther() throws Exception {
    try (RawServer silent = RawServer.silent()) {
      Host server = hosts.start(builder -> builder.listen(TestHosts.TCP));
      Host client = impatient(Duration.ofMinutes(2));
      client.addAddress(server.peerId(), silent.address());
      client.addAddress(server.peerId(), address(server));

      Stream stream = await(client.newStream(server.peerId(), ECHO));

      assertThat(echo(stream, "hello")).isEqualTo("hello");
      eventually("the silent one was dialled", () -> silent.accepted.get() == 1);
      eventually("the silent one is given up", () -> client.stats().outboundConnections() == 1);
    }
  }

  @Test
  void aSilentPeerFailsTheDialAtItsDeadline() throws Exception {
    try (RawServer silent = RawServer.silent()) {
      Host client = impatient(Duration.ofMillis(300));
      assertThat(failure(client.newStream(silent.address(), ECHO)))
          .isInstanceOf(DialException.class)
          .hasMessageContainingAll(silent.address().toString(), "300 ms");
      nothingIsHeld(client);
    }
  }

  @Test
  @DisplayName("A peer that speaks another protocol fails the dial at once")
  void peerOfAnotherProtocol() throws Exception {
    byte[] garbage =
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 11\r\nConnection: close\r\n\r\nBad Request"
            .getBytes(StandardCharsets.US_ASCII);
    try (RawServer peer = RawServer.saying(garbage)) {
      Host client = hosts.start(builder -> builder);
      assertThat(failure(client.newStream(peer.address(), ECHO)))
          .isInstanceOf(DialException.class)
          .hasMessageContainingAll(
              peer.address().toString(),
              "negotiating security",
              "does not speak libp2p",
              "HTTP/1.1 400");
      nothingIsHeld(client);
    }
  }

  @Test
  @DisplayName("A peer that speaks another protocol and waits fails the dial at once too")
  void peerOfAnotherProtocolThatWaits() throws Exception {
    byte[] banner = "SSH-2.0-OpenSSH_9.2\r\n".getBytes(StandardCharsets.US_ASCII);
    try (RawServer peer = RawServer.saying(banner)) {
      Host client = impatient(Duration.ofMinutes(5));
      assertThat(failure(client.newStream(peer.address(), ECHO)))
          .isInstanceOf(DialException.class)
          .hasMessageContainingAll(
              "does not speak libp2p", "SSH-2.0-OpenSSH", "/multistream/1.0.0");
    }
  }

  @Test
  void namesAreLookedUpAndTheirFamilyRespected() {
    Host server = hosts.start(builder -> builder.listen(TestHosts.TCP));
    Host client = hosts.start(builder -> builder);
    String port = address(server).value("tcp").orElseThrow();

    Multiaddr byName = Multiaddr.parse("/dns4/localhost/tcp/" + port + "/p2p/" + server.peerId());
    assertThat(echo(await(client.newStream(byName, ECHO)), "hi")).isEqualTo("hi");
    assertThat(client.connections().get(0).remoteAddress())
        .isEqualTo(address(server).withoutPeerId());

    assertThat(failure(client.connect(Multiaddr.parse("/dns6/127.0.0.1/tcp/" + port))))
        .isInstanceOf(DialException.class)
        .hasMessageContaining("IPV6");
    assertThat(failure(client.connect(Multiaddr.parse("/dns/no-such-host.invalid/tcp/1"))))
        .isInstanceOf(DialException.class)
        .hasMessageContainingAll("no-such-host.invalid", "lookup failed");
  }

  @Test
  void concurrentCallersShareOneDial() {
    AtomicInteger accepted = new AtomicInteger();
    Host server =
        hosts.start(
            builder ->
                builder
                    .listen(TestHosts.MEMORY)
                    .gater(
                        new ConnectionGater() {
                          @Override
                          public boolean allowAccept(Multiaddr remote) {
                            accepted.incrementAndGet();
                            return true;
                          }
                        }));
    Host client = hosts.start(builder -> builder);
    List<CompletionStage<Stream>> streams = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      streams.add(client.newStream(address(server), ECHO));
    }

    for (CompletionStage<Stream> stream : streams) {
      assertThat(echo(await(stream), "x")).isEqualTo("x");
    }
    assertThat(accepted).hasValue(1);
    assertThat(client.connections()).hasSize(1);
  }

  @Test
  @DisplayName("Callers that share a dial share its failure, and the next dials afresh")
  void sharedDialSharesItsFailure() throws Exception {
    try (RawServer silent = RawServer.silent()) {
      Host client = impatient(Duration.ofMillis(300));
      CompletionStage<Stream> first = client.newStream(silent.address(), ECHO);
      CompletionStage<Stream> second = client.newStream(silent.address(), ECHO);

      assertThat(failure(first)).isSameAs(failure(second));
      eventually("dialled", () -> silent.accepted.get() > 0);
      assertThat(silent.accepted).hasValue(1);
      assertThat(failure(client.newStream(silent.address(), ECHO)))
          .isInstanceOf(DialException.class);
      eventually("dialled afresh", () -> silent.accepted.get() > 1);
      assertThat(silent.accepted).hasValue(2);
    }
  }

  @Test
  void anAddressGivenWhileAnotherDialRunsIsTriedToo() throws Exception {
    try (RawServer silent = RawServer.silent()) {
      Host server = hosts.start();
      Host client = impatient(Duration.ofMinutes(2));
      CompletionStage<Stream> first =
          client.newStream(silent.address().withPeerId(server.peerId()), ECHO);
      eventually("the first address is connected", () -> silent.accepted.get() == 1);

      CompletionStage<Stream> second = client.newStream(address(server), ECHO);

      assertThat(echo(await(second), "x")).isEqualTo("x");
      assertThat(echo(await(first), "y")).isEqualTo("y");
    }
  }

  @Test
  @DisplayName("A connection that dies under a stream is replaced by another")
  void deadConnectionIsReplaced() {
    Host server = hosts.start();
    Host client = hosts.start(builder -> builder);
    for (int i = 0; i < 20; i++) {
      Connection connection = await(client.connect(address(server)));
      eventually("the server has it, too", () -> server.connections().size() == 1);
      Connection serverSide = server.connections().get(0);
      serverSide.close();
      await(serverSide.closed());
      // The client may or may not have heard of it.
      Stream stream = await(client.newStream(address(server), ECHO));

      assertThat(echo(stream, "again")).isEqualTo("again");
      await(connection.closed());
      client.connections().forEach(Connection::close);
      eventually(
          "all closed", () -> client.connections().isEmpty() && server.connections().isEmpty());
    }
  }

  @Test
  void thePeerIsFoundAgainWhereItWasReachedBefore() {
    Host server = hosts.start();
    Host client = hosts.start(builder -> builder);
    Connection connection = await(client.connect(address(server)));
    connection.close();
    await(connection.closed());

    assertThat(echo(await(client.newStream(server.peerId(), ECHO)), "x")).isEqualTo("x");
  }

  @Test
  @DisplayName("Peers that dial each other at once both get working streams")
  void peersThatDialEachOther() {
    for (int round = 0; round < 100; round++) {
      try (TestHosts pair = new TestHosts()) {
        Host a = pair.start();
        Host b = pair.start();
        CompletionStage<Stream> ab = a.newStream(address(b), ECHO);
        CompletionStage<Stream> ba = b.newStream(address(a), ECHO);

        assertThat(echo(await(ab), "from a")).isEqualTo("from a");
        assertThat(echo(await(ba), "from b")).isEqualTo("from b");

        List<Connection> connections = a.connections(b.peerId());
        assertThat(connections).hasSizeBetween(1, 2);
        Connection preferred = connections.get(0);
        Stream next = await(a.newStream(b.peerId(), ECHO));
        assertThat(preferred.streams()).contains(next);
        preferred.close();
        await(preferred.closed());
        assertThat(echo(await(a.newStream(b.peerId(), ECHO)), "still")).isEqualTo("still");
      }
    }
  }

  @Test
  @DisplayName("A peer back at a new port is found, and its old address is tried last")
  void peerBackAtANewPort() throws Exception {
    Host server = hosts.start(builder -> builder.listen(TestHosts.TCP));
    Host client = hosts.start(builder -> builder);
    Multiaddr old = deadAddress();
    Multiaddr now = address(server).withoutPeerId();
    client.addAddress(server.peerId(), old);
    client.addAddress(server.peerId(), now);

    assertThat(echo(await(client.newStream(server.peerId(), ECHO)), "x")).isEqualTo("x");
    assertThat(client.addresses(server.peerId())).containsExactly(now, old);
    assertThat(client.removeAddress(server.peerId(), old)).isTrue();
    assertThat(client.removeAddress(server.peerId(), old)).isFalse();
    assertThat(client.addresses(server.peerId())).containsExactly(now);
  }

  @Test
  @DisplayName("A peer ID alone as an address means its known addresses")
  void peerIdAloneAsAnAddress() {
    Host server = hosts.start();
    Host client = hosts.start(builder -> builder);
    client.addAddress(server.peerId(), address(server));
    Multiaddr who = Multiaddr.parse("/p2p/" + server.peerId());
    assertThat(echo(await(client.newStream(who, ECHO)), "x")).isEqualTo("x");
  }

  @Test
  @DisplayName("A stream that the peer resets while its protocol is negotiated is said to be that")
  void streamResetWhileNegotiating() throws Exception {
    PrivateKey key = PrivateKey.generateEd25519();
    try (ServerSocket socket = RawPeer.listener()) {
      Host client = hosts.start(builder -> builder.security("/noise"));
      CompletionStage<Stream> stream = client.newStream(RawPeer.address(socket), ECHO);
      try (RawPeer peer = RawPeer.accept(socket, key)) {
        peer.offerNoise().answerNoise();
        peer.noise.read(peer.message());
        byte[] wanted = RawPeer.multistream(RawPeer.MULTISTREAM, ECHO);
        Frame proposal = peer.await(f -> f.type() == Frame.DATA && f.length() == wanted.length);
        peer.send(Frame.windowUpdate(Frame.RST, proposal.streamId(), 0));
        assertThat(failure(stream))
            .isInstanceOf(Libp2pException.class)
            .hasMessageContainingAll(
                "the peer reset the stream while its protocol was negotiated",
                peer.id().toString(),
                ECHO,
                "shut down");
      }
    }
  }

  @Test
  @DisplayName("Nothing that a host is given may be null, and what is null is named")
  void nullIsRefusedByName() {
    Host host = hosts.start();
    PeerId peer = stranger();
    Multiaddr address = address(host);
    Map<String, ThrowingCallable> calls =
        Map.ofEntries(
            Map.entry("protocol is null", () -> host.newStream(peer, (String) null)),
            Map.entry("protocols is null", () -> host.newStream(address, (String[]) null)),
            Map.entry("a protocol is null", () -> host.newStream(address, ECHO, null)),
            Map.entry("address is null", () -> host.newStream((Multiaddr) null, ECHO)),
            Map.entry("peer is null", () -> host.newStream((PeerId) null, ECHO)),
            Map.entry("the address is null", () -> host.connect((Multiaddr) null)),
            Map.entry("the peer is null", () -> host.connect((PeerId) null)),
            Map.entry("handler for " + ECHO, () -> host.handle(ECHO, null)),
            Map.entry("a protocol", () -> host.handle(null, TestHosts.ECHOER)),
            Map.entry("the protocol is null", () -> host.unhandle(null)),
            Map.entry("the address", () -> host.addAddress(peer, null)),
            Map.entry("the peer", () -> host.removeAddress(null, address)),
            Map.entry("he peer is null", () -> host.ping(null)),
            Map.entry("e peer is null", () -> host.addresses(null)),
            Map.entry(" peer is null", () -> host.connections(null)),
            Map.entry("listener is null", () -> host.addListener(null)),
            Map.entry("grace is null", () -> host.shutdown(null)),
            Map.entry("identity is null", () -> Host.builder().identity(null)),
            Map.entry("limits are null", () -> Host.builder().limits(null)),
            Map.entry("listen on is null", () -> Host.builder().listen((String) null)),
            Map.entry("security protocol is null", () -> Host.builder().security("/noise", null)));
    calls.forEach(
        (text, call) ->
            assertThatThrownBy(call)
                .as(text)
                .isInstanceOf(NullPointerException.class)
                .hasMessageContaining(text));
  }
}
