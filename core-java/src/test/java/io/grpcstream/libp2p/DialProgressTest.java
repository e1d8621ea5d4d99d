package io.grpcstream.libp2p;

import static io.grpcstream.libp2p.TestHosts.ECHO;
import static io.grpcstream.libp2p.TestHosts.address;
import static io.grpcstream.libp2p.TestHosts.await;
import static io.grpcstream.libp2p.TestHosts.eventually;
import static io.grpcstream.libp2p.TestHosts.failure;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.crypto.PrivateKey;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the failure of a dial, or of a stream, says about how far the two sides had come. */
@Timeout(60)
class DialProgressTest {
  private static final String CLOSED_THERE =
      "the other side may be at a limit of its connections, or its connection gater may refuse"
          + " this host";

  private static final Duration SHORT = Duration.ofMillis(400);

  private static final ConnectionGater NO_PEER =
      new ConnectionGater() {
        @Override
        public boolean allowPeer(PeerId peer, Multiaddr address, boolean initiator) {
          return false;
        }
      };

  private final TestHosts hosts = new TestHosts();

  @AfterEach
  void close() {
    hosts.close();
  }

  private Host dialler(UnaryOperator<Limits.Builder> limits) {
    return hosts.start(
        builder -> builder.security("/noise").limits(limits.apply(Limits.builder()).build()));
  }

  /** What a dial says whose peer does {@code act} and then nothing, until the dial has failed. */
  private String failureOf(Host dialler, Consumer<RawPeer> act) throws Exception {
    PrivateKey key = PrivateKey.generateEd25519();
    try (ServerSocket socket = RawPeer.listener()) {
      Multiaddr address = RawPeer.address(socket).withPeerId(PeerId.of(key.publicKey()));
      CompletionStage<Stream> stream = dialler.newStream(address, ECHO);
      try (RawPeer peer = RawPeer.accept(socket, key)) {
        act.accept(peer);
        String text = String.valueOf(failure(stream).getMessage());
        assertThat(text).contains(RawPeer.address(socket).toString(), peer.id().toString());
        return text;
      }
    }
  }

  @Test
  @DisplayName("A peer that says nothing is said to be connected and silent")
  void silentPeerIsConnectedAndSilent() throws Exception {
    Host dialler = dialler(limits -> limits.dialTimeout(SHORT));
    assertThat(failureOf(dialler, peer -> {}))
        .contains(
            "within 400 ms",
            "while negotiating security by multistream",
            "connected, but nothing was received");
  }

  @Test
  void aPeerThatStopsIsSaidToHaveSentSoManyBytes() throws Exception {
    Host dialler = dialler(limits -> limits.dialTimeout(SHORT));
    assertThat(failureOf(dialler, peer -> peer.sendRaw("\23/m")))
        .contains("within 400 ms", "while negotiating security by multistream", "3 bytes received")
        .doesNotContain("none of them");
  }

  @Test
  @DisplayName("A peer that agrees on Noise and stops is said to have stopped there")
  void peerThatStopsAtNoise() throws Exception {
    Host dialler = dialler(limits -> limits.dialTimeout(SHORT));
    assertThat(failureOf(dialler, RawPeer::offerNoise))
        .contains(
            "within 400 ms",
            "while securing with /noise",
            "28 bytes received, none of them in this step");
  }

  @Test
  void aConnectionThatIsNotAnsweredIsSaidToBeThat() {
    Host dialler = dialler(limits -> limits.dialTimeout(Duration.ofMillis(1)));
    // No packet to a test network (RFC 5737) is answered; some machines refuse it at once.
    assertThat(failure(dialler.connect(Multiaddr.parse("/ip4/192.0.2.1/tcp/4001"))))
        .message()
        .matches("(?s).*(the attempt to connect was not answered|cannot connect: ).*");
  }

  @Test
  @DisplayName("An inbound connection that says nothing is logged as that")
  void silentInboundConnection() {
    try (Siege siege = new Siege(limits -> limits.acceptTimeout(SHORT));
        RawPeer peer = RawPeer.dial(siege.server)) {
      peer.awaitClose();
      siege.log.await(
          "UPGRADE_FAILED", peer.address(), "within 400 ms", "nothing was received", "libp2p");
    }
  }

  @Test
  @DisplayName("A stream without an answer says that nothing was received")
  void streamWithoutAnAnswer() throws Exception {
    Host dialler = dialler(limits -> limits.streamNegotiationTimeout(SHORT));
    assertThat(failureOf(dialler, DialProgressTest::secure))
        .contains("no agreement within 400 ms", ECHO, "nothing received from the peer");
  }

  /** Does all that is right up to the first yamux frame. */
  private static void secure(RawPeer peer) {
    peer.offerNoise().answerNoise();
    peer.noise.read(peer.message());
  }

  @Test
  @DisplayName("A peer that closes without a word is said to maybe have reached its limits")
  void closedWithoutAWord() throws Exception {
    assertThat(failureOf(dialler(limits -> limits), RawPeer::close))
        .contains("negotiating security", CLOSED_THERE);
  }

  @Test
  void soIsOneThatClosesInTheHandshake() throws Exception {
    assertThat(failureOf(dialler(limits -> limits), peer -> peer.offerNoise().close()))
        .contains("securing with /noise", CLOSED_THERE);
  }

  @ParameterizedTest
  @ValueSource(strings = {TestHosts.TCP, TestHosts.MEMORY})
  void soIsAHostAtItsLimitOfConnections(String listen) {
    Host server =
        hosts.start(
            builder -> builder.listen(listen).limits(Limits.builder().connections(1).build()));
    await(hosts.start(builder -> builder).connect(address(server)));
    assertThat(failure(hosts.start(builder -> builder).newStream(address(server), ECHO)))
        .hasMessageContainingAll(server.peerId().toString(), CLOSED_THERE)
        .message()
        .containsOnlyOnce(CLOSED_THERE);
  }

  @Test
  @DisplayName("The failure of a dial names peer, address and reason once")
  void namesAreNotRepeated() throws Exception {
    PrivateKey key = PrivateKey.generateEd25519();
    try (ServerSocket socket = RawPeer.listener()) {
      Multiaddr bare = RawPeer.address(socket);
      PeerId id = PeerId.of(key.publicKey());
      CompletionStage<Stream> stream =
          dialler(limits -> limits).newStream(bare.withPeerId(id), ECHO);
      try (RawPeer peer = RawPeer.accept(socket, key)) {
        assertThat(peer.id()).isEqualTo(id); // It says nothing, and leaves.
      }
      assertThat(failure(stream))
          .message()
          .containsOnlyOnce(id.toString())
          .containsOnlyOnce(bare.toString())
          .doesNotContain("127.0.0.1:")
          .containsOnlyOnce("multistream for")
          .containsOnlyOnce(CLOSED_THERE);
    }
  }

  @Test
  @DisplayName("The failure of a stream names peer, address, protocol and reason once")
  void namesOfAStreamAreNotRepeated() {
    Host server = hosts.start(builder -> builder.listen(TestHosts.TCP).gater(NO_PEER));
    assertThat(failure(dialler(limits -> limits).newStream(address(server), ECHO)))
        .message()
        .containsOnlyOnce(server.peerId().toString())
        .containsOnlyOnce(address(server).withoutPeerId().toString())
        .doesNotContain("127.0.0.1:")
        .matches(text -> text.split(ECHO, -1).length <= 2, "the protocol at most once")
        .containsOnlyOnce(CLOSED_THERE);
  }

  @Test
  @DisplayName("A limit of this host's own is named as that, with the peer that was to be dialled")
  void ownLimit() {
    Host first = hosts.start(builder -> builder.listen(TestHosts.TCP));
    Host second = hosts.start(builder -> builder.listen(TestHosts.TCP));
    Host dialler = dialler(limits -> limits.connections(1));
    await(dialler.connect(address(first)));
    assertThat(failure(dialler.newStream(address(second), ECHO)))
        .isInstanceOf(LimitExceededException.class)
        .hasMessageContainingAll(
            "this host's limit of 1 connections",
            second.peerId().toString(),
            address(second).withoutPeerId().toString())
        .message()
        .doesNotContain(CLOSED_THERE);
  }

  @Test
  @DisplayName("A peer that turns this one away after the handshake is dialled once for a stream")
  void turnedAwayLateIsDialledOnce() {
    Host server = hosts.start(builder -> builder.listen(TestHosts.TCP).gater(NO_PEER));
    Host dialler = dialler(limits -> limits);
    for (int dials = 1; dials <= 10; dials++) {
      failure(dialler.newStream(address(server), ECHO));
      long expected = dials;
      eventually(
          () -> "refused once, has " + server.stats(),
          () -> server.stats().refusals(Refusal.GATED_PEER) == expected);
    }
  }

  /** The dialler's part of the handshake is over by then. */
  @ParameterizedTest
  @ValueSource(strings = {"/noise", "/tls/1.0.0"})
  void soIsAHostWhoseGaterRefusesThePeerItHasProven(String security) {
    Host server = hosts.start(builder -> builder.listen(TestHosts.TCP).gater(NO_PEER));
    Host client = hosts.start(builder -> builder.security(security));
    assertThat(failure(client.newStream(address(server), ECHO)))
        .hasMessageContainingAll(server.peerId().toString(), CLOSED_THERE)
        .message()
        .containsOnlyOnce(CLOSED_THERE);
  }

  @Test
  void whatThisSideEndsIsNotBlamedOnTheOther() throws Exception {
    Host dialler = dialler(limits -> limits);
    assertThat(failureOf(dialler, peer -> peer.sendRaw("HTTP/1.1 400 Bad Request\r\n")))
        .contains("does not speak libp2p")
        .doesNotContain(CLOSED_THERE);
    assertThat(failureOf(dialler, peer -> peer.offerNoise().send(new byte[] {0, 1, 7})))
        .doesNotContain(CLOSED_THERE);
  }

  @Test
  @DisplayName("A stream that is cut by the shutdown of this host says so")
  void streamCutByThisHostsShutdown() throws Exception {
    Host dialler = dialler(limits -> limits);
    PrivateKey key = PrivateKey.generateEd25519();
    try (ServerSocket socket = RawPeer.listener()) {
      Multiaddr address = RawPeer.address(socket).withPeerId(PeerId.of(key.publicKey()));
      CompletionStage<Stream> stream = dialler.newStream(address, ECHO);
      try (RawPeer peer = RawPeer.accept(socket, key)) {
        secure(peer);
        // One of them is to identify the peer.
        eventually("both streams are opened", () -> dialler.stats().outboundStreams() == 2);
        dialler.shutdown(Duration.ofMinutes(1));
        assertThat(failure(stream))
            .isInstanceOf(HostClosedException.class)
            .hasMessageContainingAll(dialler.peerId().toString(), peer.id().toString());
      }
    }
  }
}
