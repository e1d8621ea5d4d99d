package io.grpcstream.libp2p;

import static io.grpcstream.libp2p.RawPeer.MULTISTREAM;
import static io.grpcstream.libp2p.RawPeer.multistream;
import static io.grpcstream.libp2p.TestHosts.ECHO;
import static io.grpcstream.libp2p.TestHosts.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.mux.yamux.Frame;
import io.netty.channel.ChannelOption;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * Peers that misuse a stream, over TCP: it costs them the stream, while another one on the same
 * connection and those of others live on.
 */
class HostileStreamTest {
  private Siege siege;

  @AfterEach
  void close() {
    siege.close();
  }

  @Test
  void garbageInsteadOfMultistreamResetsThatStream() {
    resets(Frame.data(Frame.SYN, 3, new byte[] {3, 'a', 'b', 'c'}));
  }

  @Test
  @DisplayName("An oversized multistream message resets that stream")
  void oversizedMessageResetsTheStream() {
    resets(Frame.data(Frame.SYN, 3, new byte[] {(byte) 0x81, 8}));
  }

  @Test
  @DisplayName("A zero-length multistream message resets that stream")
  void zeroLengthMessageResetsTheStream() {
    resets(Frame.data(Frame.SYN, 3, new byte[1000]));
  }

  @Test
  void aFloodOfUnknownProposalsResetsThatStream() {
    String[] proposals = new String[1000];
    Arrays.fill(proposals, "/unknown");
    proposals[0] = MULTISTREAM;
    resets(Frame.data(Frame.SYN, 3, multistream(proposals)));
  }

  @Test
  void aStreamWithoutAProtocolIsResetAtTheDeadline() {
    resets(Frame.windowUpdate(Frame.SYN, 3, 0));
  }

  @Test
  @DisplayName("A stream whose protocol is cut short is reset at the deadline")
  void protocolThatIsCutShort() {
    resets(Frame.data(Frame.SYN, 3, Arrays.copyOf(multistream(MULTISTREAM), 10)));
  }

  private void resets(Frame frame) {
    siege = new Siege(limits -> limits.streamNegotiationTimeout(Duration.ofMillis(400)));
    try (RawPeer peer = RawPeer.dialAndSecure(siege.server).open(1, ECHO)) {
      peer.send(frame);
      peer.await(f -> f.has(Frame.RST) && f.streamId() == 3);
      assertThat(siege.refused(Refusal.STREAM_NEGOTIATION_FAILED)).isEqualTo(1);
      echoes(peer, 1);
    }
    siege.isOver();
  }

  private static void echoes(RawPeer peer, long streamId) {
    peer.send(Frame.data(0, streamId, 9));
    peer.await(f -> f.type() == Frame.DATA && f.streamId() == streamId && f.length() == 9);
  }

  @Test
  void dataAfterTheEndResetsThatStream() {
    siege = new Siege();
    siege.server.handle(
        "/half/1",
        stream -> stream.channel().config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true));
    try (RawPeer peer = RawPeer.dialAndSecure(siege.server).open(1, ECHO).open(3, "/half/1")) {
      peer.send(Frame.data(Frame.FIN, 3, 5), Frame.data(0, 3, 5));
      peer.await(f -> f.has(Frame.RST) && f.streamId() == 3);
      echoes(peer, 1);
    }
    siege.isOver();
  }

  @Test
  void dataForAStreamThatHasEndedIsIgnored() {
    siege = new Siege();
    try (RawPeer peer = RawPeer.dialAndSecure(siege.server).open(1, ECHO).open(3, ECHO)) {
      peer.send(Frame.windowUpdate(Frame.RST, 3, 0));
      peer.send(Frame.data(0, 3, 1000), Frame.windowUpdate(0, 3, 1000), Frame.data(4, 3, 0));
      echoes(peer, 1);
    }
    siege.isOver();
  }

  @Test
  @DisplayName("Streams past the limit of one peer are reset, counted and logged")
  void streamsPastThePeersLimit() {
    siege = new Siege(limits -> limits.inboundStreamsPerPeer(3));
    try (RawPeer peer = RawPeer.dialAndSecure(siege.server)) {
      peer.open(1, ECHO).open(3, ECHO).open(5, ECHO);
      peer.send(Frame.data(Frame.SYN, 7, multistream(MULTISTREAM, ECHO)));
      peer.await(f -> f.has(Frame.RST) && f.streamId() == 7);
      assertThat(siege.refused(Refusal.STREAMS_PER_PEER)).isEqualTo(1);
      siege.log.await("STREAMS_PER_PEER", "limit of 3 inbound streams", peer.id(), peer.address());
      echoes(peer, 1);
      peer.send(Frame.windowUpdate(Frame.RST, 3, 0));
      peer.open(9, ECHO);
    }
    siege.isOver();
  }

  @Test
  @DisplayName("Streams past the ACK backlog are reset, counted and logged")
  void streamsPastTheAckBacklog() {
    siege =
        new Siege(
            limits ->
                limits
                    .inboundStreamsPerPeer(1000)
                    .streamNegotiationTimeout(Duration.ofMillis(400)));
    try (RawPeer peer = RawPeer.dialAndSecure(siege.server).open(1, ECHO)) {
      Frame[] syns = new Frame[300];
      for (int i = 0; i < syns.length; i++) {
        syns[i] = Frame.windowUpdate(Frame.SYN, 2 * i + 3, 0);
      }
      peer.send(syns);
      for (int i = 256; i < 300; i++) {
        long refused = 2L * i + 3;
        peer.await(f -> f.has(Frame.RST) && f.streamId() == refused);
      }
      siege.log.await("STREAMS_PER_PEER", "256 unacknowledged", peer.id());
      echoes(peer, 1);
      eventually("timed out", () -> siege.server.stats().inboundStreams() == 2);
      echoes(peer, 1);
    }
    siege.isOver();
  }

  @Test
  @DisplayName("Streams without a protocol past their limit are reset")
  void streamsWithoutAProtocol() {
    siege = new Siege(limits -> limits.pendingInboundStreams(2));
    try (RawPeer peer = RawPeer.dialAndSecure(siege.server).open(1, ECHO)) {
      peer.send(
          Frame.windowUpdate(Frame.SYN, 3, 0),
          Frame.windowUpdate(Frame.SYN, 5, 0),
          Frame.windowUpdate(Frame.SYN, 7, 0));
      peer.await(f -> f.has(Frame.RST) && f.streamId() == 7);
      siege.log.await(
          "PENDING_STREAMS", "limit of 2 inbound streams without a protocol reached", peer.id());
      echoes(peer, 1);
    }
    siege.isOver();
  }

  @Test
  void aPeerThatStopsReadingHoldsUpOnlyItsOwnStream() {
    siege =
        new Siege(
            limits ->
                limits
                    .keepAliveInterval(Duration.ofMillis(800))
                    .keepAliveTimeout(Duration.ofMillis(800)));
    Flood flood = new Flood();
    siege.server.handle("/flood/1", stream -> stream.channel().pipeline().addLast(flood));
    try (RawPeer peer = RawPeer.dial(siege.server, PrivateKey.generateEd25519(), 4096).secured()) {
      peer.open(1, ECHO).open(3, "/flood/1");
      // All the credit there is: what holds the host back is the connection alone.
      peer.send(Frame.windowUpdate(0, 3, 0xF000_0000L), Frame.data(0, 3, 1));
      flood.awaitStop();
      siege.honestStreamLives();
      siege.log.await("UNRESPONSIVE", peer.id(), peer.address(), "within 800 ms");
      assertThat(flood.written()).isLessThan(16 << 20);
    }
    siege.isOver();
  }

  @Test
  @DisplayName("A peer that resets a stream that we owe data ends that stream only")
  void peerResetsAStreamWeOweData() {
    siege = new Siege();
    Flood flood = new Flood();
    siege.server.handle("/flood/1", stream -> stream.channel().pipeline().addLast(flood));
    try (RawPeer peer = RawPeer.dialAndSecure(siege.server).open(1, ECHO).open(3, "/flood/1")) {
      peer.send(Frame.data(0, 3, 1));
      flood.awaitStop();
      peer.send(Frame.windowUpdate(Frame.RST, 3, 0));
      eventually("ended", () -> siege.server.stats().inboundStreams() == 2);
      echoes(peer, 1);
    }
    siege.isOver();
  }
}
