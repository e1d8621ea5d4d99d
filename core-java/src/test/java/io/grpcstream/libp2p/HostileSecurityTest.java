package io.grpcstream.libp2p;

import static io.grpcstream.libp2p.RawPeer.YAMUX;
import static io.grpcstream.libp2p.RawPeer.framed;
import static io.grpcstream.libp2p.TestHosts.ECHO;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.mux.yamux.Frame;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Peers that break, forge or hold up the Noise handshake, or tamper with its records, over TCP. */
class HostileSecurityTest {
  private final Siege siege = new Siege(limits -> limits.acceptTimeout(Duration.ofSeconds(2)));

  @AfterEach
  void close() {
    siege.close();
  }

  // ---- the handshake

  @Test
  @DisplayName("A peer that says nothing inside Noise is closed at the deadline")
  void silenceInsideNoise() {
    try (RawPeer peer = RawPeer.dial(siege.server).agreeOnNoise()) {
      assertThat(peer.awaitClose()).isEmpty();
      handshakeFailed(peer, "not done within 2 s");
    }
    siege.isOver();
  }

  @Test
  @DisplayName("A peer that stops after the second message is closed at the deadline")
  void silenceAfterTheSecondMessage() {
    try (RawPeer peer = RawPeer.dial(siege.server).agreeOnNoise().helloNoise()) {
      assertThat(peer.awaitClose()).isEmpty();
      handshakeFailed(peer, "not done within 2 s");
    }
    siege.isOver();
  }

  @Test
  void aHugeHandshakeLengthIsRefusedBeforeAByteOfIt() {
    refused(new byte[] {-1, -1}, "a handshake message of 65,535 bytes, the limit is 8,192");
  }

  @Test
  void anEmptyHandshakeMessageIsRefused() {
    refused(new byte[2], "handshake message 1: 0 bytes are too short, at least 32 are needed");
  }

  @Test
  void aKeyThatContributesNothingIsRefused() {
    refused(framed(new byte[32]), "handshake message 2");
  }

  private void refused(byte[] bytes, String reason) {
    try (RawPeer peer = RawPeer.dial(siege.server).agreeOnNoise()) {
      peer.send(bytes);
      assertThat(peer.awaitClose()).isEmpty();
      handshakeFailed(peer, reason);
    }
    siege.isOver();
  }

  @Test
  void aHandshakeMessageWithAFlippedBitIsRefused() {
    try (RawPeer peer = RawPeer.dial(siege.server).agreeOnNoise().helloNoise()) {
      byte[] third = peer.noise.write(peer.noise.payload(YAMUX));
      third[40] ^= 1;
      peer.send(framed(third));
      assertThat(peer.awaitClose()).isEmpty();
      handshakeFailed(peer, "handshake message 3");
    }
    siege.isOver();
  }

  @Test
  @DisplayName("A handshake message of another connection is refused")
  void messageOfAnotherConnection() {
    try (RawPeer recorded = RawPeer.dial(siege.server).agreeOnNoise().helloNoise();
        RawPeer peer = RawPeer.dial(siege.server, recorded.key).agreeOnNoise().helloNoise()) {
      byte[] third = recorded.noise.write(recorded.noise.payload(YAMUX));
      peer.send(framed(third));
      assertThat(peer.awaitClose()).isEmpty();
      handshakeFailed(peer, "handshake message 3");
    }
    siege.isOver();
  }

  @Test
  void aHandshakeMessageCutShortSaysHowFarItGot() {
    String address;
    try (RawPeer peer = RawPeer.dial(siege.server).agreeOnNoise()) {
      address = peer.address();
      peer.send(Arrays.copyOf(framed(peer.noise.write(new byte[0])), 12));
      siege.honestStreamLives();
    }
    siege.log.await("UPGRADE_FAILED", address, "securing with /noise", "10 of 32 bytes");
    siege.isOver();
  }

  @Test
  @DisplayName("An identity that did not sign the static key is refused")
  void identityThatDidNotSign() {
    try (RawPeer peer = RawPeer.dial(siege.server).agreeOnNoise().helloNoise()) {
      byte[] payload = peer.noise.payloadClaiming(siege.honestKey(), YAMUX);
      peer.send(framed(peer.noise.write(payload)));
      assertThat(peer.awaitClose()).isEmpty();
      handshakeFailed(peer, "the static key is not signed by the ED25519 identity key shown");
    }
    assertThat(siege.server.connections(siege.honest.peerId())).hasSize(1);
    siege.isOver();
  }

  private void handshakeFailed(RawPeer peer, String reason) {
    siege.log.await("UPGRADE_FAILED", peer.address(), "securing with /noise", reason);
  }

  // ---- records

  @Test
  void aRecordWithAFlippedBitEndsThatConnection() {
    try (RawPeer peer = RawPeer.dialAndSecure(siege.server).open(1, ECHO)) {
      byte[] record = peer.records(Frame.data(0, 1, 100));
      record[50] ^= 1;
      peer.send(record);
      recordRefused(peer, "a record of 128 bytes is not authentic");
    }
    siege.isOver();
  }

  @Test
  void aRecordSentTwiceEndsThatConnection() {
    try (RawPeer peer = RawPeer.dialAndSecure(siege.server).open(1, ECHO)) {
      byte[] record = peer.records(Frame.data(0, 1, 100));
      peer.send(record);
      peer.await(frame -> frame.type() == Frame.DATA && frame.length() == 100);
      peer.send(record);
      recordRefused(peer, "a record of 128 bytes is not authentic");
    }
    siege.isOver();
  }

  @Test
  void recordsInTheWrongOrderEndThatConnection() {
    try (RawPeer peer = RawPeer.dialAndSecure(siege.server).open(1, ECHO)) {
      byte[] first = peer.records(Frame.data(0, 1, 10));
      byte[] second = peer.records(Frame.data(0, 1, 20));
      peer.send(second);
      peer.trySend(first);
      recordRefused(peer, "a record of 48 bytes is not authentic");
    }
    siege.isOver();
  }

  @Test
  void aRecordShorterThanItsTagEndsThatConnection() {
    try (RawPeer peer = RawPeer.dialAndSecure(siege.server).open(1, ECHO)) {
      peer.send(new byte[] {0, 15});
      recordRefused(peer, "a record of 15 bytes, shorter than its tag of 16");
    }
    siege.isOver();
  }

  @Test
  @DisplayName("A record cut by the end of the connection is a loss, and not taken for its end")
  void recordCutByTheConnectionsEnd() {
    CompletableFuture<Throwable> told = new CompletableFuture<>();
    siege.server.handle(
        "/told/1.0.0",
        stream ->
            stream
                .channel()
                .pipeline()
                .addLast(
                    new ChannelInboundHandlerAdapter() {
                      @Override
                      public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                        told.complete(cause);
                      }
                    }));
    try (RawPeer peer = RawPeer.dialAndSecure(siege.server).open(1, "/told/1.0.0")) {
      peer.send(Arrays.copyOf(peer.records(Frame.data(0, 1, 100)), 90));
      siege.honestStreamLives();
    }
    assertThat(TestHosts.await(told))
        .hasMessageContaining("the connection ended after 90 bytes of a record");
    siege.isOver();
    assertThat(siege.refused(Refusal.PROTOCOL_VIOLATION)).isZero();
  }

  @Test
  void aLongRecordWithNothingBehindItHoldsNoMemory() {
    List<RawPeer> peers = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      peers.add(RawPeer.dialAndSecure(siege.server).open(1, ECHO).send(new byte[] {-1, -1, 0}));
    }
    siege.honestStreamLives();
    siege.memoryIsBounded();
    peers.forEach(RawPeer::close);
    siege.isOver();
  }

  private void recordRefused(RawPeer peer, String reason) {
    peer.awaitClose();
    siege.log.await("PROTOCOL_VIOLATION", peer.id(), peer.address(), reason);
    assertThat(siege.refused(Refusal.PROTOCOL_VIOLATION)).isEqualTo(1);
  }
}
