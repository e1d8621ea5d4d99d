package io.grpcstream.libp2p;

import static io.grpcstream.libp2p.RawPeer.YAMUX;
import static io.grpcstream.libp2p.RawPeer.framed;
import static io.grpcstream.libp2p.TestHosts.ECHO;
import static io.grpcstream.libp2p.TestHosts.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.mux.yamux.Frame;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Peers whose yamux frames cost them their connection, over TCP. */
class HostileMuxerTest {
  private static final String HOLDING = "/test/holding/1.0.0";

  private Siege siege;

  @AfterEach
  void close() {
    siege.close();
  }

  // ---- single frames that no peer sends

  @Test
  void aBadVersionEndsTheConnection() {
    ends("yamux: frame of version 1, only 0 is known", frame(1, 0, 0, 1, 0));
  }

  @Test
  void anUnknownTypeEndsTheConnection() {
    ends("yamux: frame of unknown type 9", frame(0, 9, 0, 1, 0));
  }

  @Test
  void unknownFlagsEndTheConnection() {
    ends("yamux: frame with unknown flags 0x0100", frame(0, Frame.DATA, 0x100, 1, 0));
  }

  @Test
  void aWindowThatOverflowsEndsTheConnection() {
    ends(
        "yamux: a window update of 4294967295 bytes overflows the send window of stream 1",
        Frame.windowUpdate(0, 1, 0xFFFF_FFFFL));
  }

  @Test
  void dataForAStreamNeverOpenedEndsTheConnection() {
    ends("yamux: 5 bytes of data for stream 77, which was never opened", Frame.data(0, 77, 5));
  }

  @Test
  @DisplayName("A huge length with nothing behind it ends the connection")
  void hugeLengthWithNothingBehindIt() {
    ends(
        "yamux: a 4,294,967,295-byte frame on stream 1, window 262,",
        frame(0, Frame.DATA, 0, 1, 0xFFFF_FFFFL));
  }

  @Test
  @DisplayName("A huge length on a new stream ends the connection before there is a stream")
  void hugeLengthOnANewStream() {
    ends(
        "yamux: a 1,073,741,824-byte frame on stream 3, window 262,144",
        frame(0, Frame.DATA, Frame.SYN, 3, 1 << 30));
  }

  @Test
  void aStreamOpenedTwiceEndsTheConnection() {
    ends("yamux: stream 1 opened twice", Frame.windowUpdate(Frame.SYN, 1, 0));
  }

  @Test
  void aStreamOpenedWithOurIdsEndsTheConnection() {
    ends(
        "yamux: stream 4 opened with an id of the wrong side", Frame.windowUpdate(Frame.SYN, 4, 0));
  }

  private static Frame frame(int version, int type, int flags, long id, long length) {
    return new Frame(version, type, flags, id, length, new byte[0]);
  }

  private void ends(String reason, Frame... frames) {
    siege = new Siege();
    try (RawPeer peer = RawPeer.dialAndSecure(siege.server).open(1, ECHO)) {
      peer.send(frames);
      brokeTheProtocol(peer, reason);
    }
    siege.isOver();
  }

  private void brokeTheProtocol(RawPeer peer, String reason) {
    List<Frame> last = peer.framesUntilClose();
    assertThat(last.get(last.size() - 1)).hasToString("GOAWAY 0 +1");
    siege.log.await("PROTOCOL_VIOLATION", peer.id(), peer.address(), reason);
    assertThat(siege.refused(Refusal.PROTOCOL_VIOLATION)).isEqualTo(1);
  }

  @Test
  @DisplayName("Data past the window of a stream that is not read ends the connection")
  void dataPastAnUnreadStreamsWindow() {
    siege = new Siege();
    siege.server.handle(HOLDING, stream -> stream.channel().config().setAutoRead(false));
    try (RawPeer peer = RawPeer.dialAndSecure(siege.server).open(1, HOLDING)) {
      int left = 262_144 - RawPeer.multistream(RawPeer.MULTISTREAM, HOLDING).length;
      peer.send(Frame.data(0, 1, left));
      peer.send(Frame.data(0, 1, 1));
      brokeTheProtocol(peer, "yamux: a 1-byte frame on stream 1, window 0");
    }
    siege.isOver();
  }

  // ---- floods

  @Test
  @DisplayName("Opening and resetting without end ends the connection")
  void openingAndResettingWithoutEnd() {
    siege = new Siege();
    flood(
        "yamux: too many streams opened and reset by the peer, allowed are",
        i -> Frame.windowUpdate(i % 2 == 0 ? Frame.SYN : Frame.RST, i / 2 * 2 + 1, 0));
  }

  @Test
  @DisplayName("Opening past the limit without end ends the connection")
  void openingPastTheLimitWithoutEnd() {
    siege = new Siege(limits -> limits.inboundStreamsPerPeer(4));
    flood(
        "yamux: too many SYNs past the limits of 4 streams",
        i -> Frame.windowUpdate(Frame.SYN, 2 * i + 1, 0));
    assertThat(siege.refused(Refusal.STREAMS_PER_PEER)).isGreaterThan(1000);
    siege.log.await("STREAMS_PER_PEER", "limit of 4 inbound streams");
  }

  @Test
  void aPingFloodEndsTheConnection() {
    siege = new Siege();
    flood("yamux: too many pings, allowed are 64 at once and 16 a second", i -> ping(i));
  }

  private static Frame ping(int i) {
    return Frame.ping(Frame.SYN, i);
  }

  /** Sends a hundred frames a record until the other side has had enough. */
  private void flood(String reason, IntFunction<Frame> frames) {
    try (RawPeer peer = RawPeer.dialAndSecure(siege.server)) {
      boolean open = true;
      for (int i = 0; open && i < 100_000; i += 100) {
        Frame[] record = new Frame[100];
        for (int j = 0; j < 100; j++) {
          record[j] = frames.apply(i + j);
        }
        open = peer.trySend(peer.records(record));
      }
      peer.awaitClose();
      siege.log.await("PROTOCOL_VIOLATION", peer.id(), peer.address(), reason);
    }
    siege.isOver();
  }

  @Test
  @DisplayName("Answers that the peer does not read end the connection")
  void answersThatThePeerDoesNotRead() {
    siege = new Siege(limits -> limits.inboundStreamsPerPeer(100).outboundStreamsPerPeer(100));
    Flood flood = new Flood();
    siege.server.handle("/flood/1", stream -> stream.channel().pipeline().addLast(flood));
    PrivateKey key = PrivateKey.generateEd25519();
    try (RawPeer peer = RawPeer.dial(siege.server, key, 4096).secured().open(1, "/flood/1")) {
      peer.send(Frame.windowUpdate(0, 1, 0xF000_0000L), Frame.data(0, 1, 1));
      flood.awaitStop();
      // Within all limits of streams, and no reset: each is opened and ended at once.
      long ended = 0;
      for (int id = 3; ended < 100_000 && peer.trySend(peer.records(churn(id, 50))); id += 100) {
        ended += 50;
        long expected = ended;
        eventually(
            "answered, or closed",
            () ->
                siege.refused(Refusal.STREAM_NEGOTIATION_FAILED) >= expected
                    || siege.refused(Refusal.PROTOCOL_VIOLATION) > 0);
      }
      siege.log.await(
          "PROTOCOL_VIOLATION", peer.id(), peer.address(), "frames that the peer did not read");
    }
    siege.isOver();
  }

  private static Frame[] churn(int firstId, int streams) {
    Frame[] frames = new Frame[streams];
    for (int i = 0; i < streams; i++) {
      frames[i] = Frame.windowUpdate(Frame.SYN | Frame.FIN, firstId + 2 * i, 0);
    }
    return frames;
  }

  // ---- silence

  @Test
  @DisplayName("A peer that says nothing before yamux is closed at the deadline")
  void silenceBeforeYamux() {
    siege = new Siege(limits -> limits.upgradeTimeout(Duration.ofMillis(400)));
    try (RawPeer peer = RawPeer.dial(siege.server).agreeOnNoise().helloNoise()) {
      // No muxer inside the handshake: it is to be negotiated after it.
      peer.send(framed(peer.noise.write(peer.noise.payload())));
      peer.awaitClose();
      siege.log.await(
          "UPGRADE_FAILED", peer.id(), peer.address(), "negotiating the muxer", "within 400 ms");
    }
    siege.isOver();
  }

  @Test
  void aPeerThatAnswersNoPingIsClosedAtTheDeadline() {
    siege =
        new Siege(
            limits ->
                limits
                    .keepAliveInterval(Duration.ofMillis(300))
                    .keepAliveTimeout(Duration.ofMillis(300)));
    try (RawPeer peer = RawPeer.dialAndSecure(siege.server).open(1, ECHO)) {
      peer.framesUntilClose();
      siege.log.await(
          "UNRESPONSIVE", peer.id(), peer.address(), "yamux: no answer to a ping within 300 ms");
    }
    assertThat(siege.refused(Refusal.UNRESPONSIVE)).isEqualTo(1);
    assertThat(siege.refused(Refusal.PROTOCOL_VIOLATION)).isZero();
    siege.isOver();
  }

  @Test
  @DisplayName("A connection cut in the middle of a frame leaves nothing")
  void connectionCutInAFrame() {
    siege = new Siege();
    try (RawPeer peer = RawPeer.dialAndSecure(siege.server).open(1, ECHO)) {
      byte[] frame = Frame.data(0, 1, 1000).bytes();
      peer.send(peer.sealed(Arrays.copyOf(frame, 7)));
      siege.honestStreamLives();
    }
    siege.isOver();
    try (RawPeer peer = RawPeer.dialAndSecure(siege.server).open(1, ECHO)) {
      byte[] frame = Frame.data(0, 1, 1000).bytes();
      peer.send(peer.sealed(Arrays.copyOf(frame, 500)));
      siege.honestStreamLives();
    }
    siege.isOver();
  }

  @Test
  void aMuxerNobodyKnowsEndsTheConnection() {
    siege = new Siege();
    try (RawPeer peer = RawPeer.dial(siege.server).agreeOnNoise().helloNoise()) {
      peer.send(framed(peer.noise.write(peer.noise.payload("/mplex/6.7.0"))));
      peer.awaitClose();
      siege.log.await(
          "UPGRADE_FAILED",
          peer.address(),
          "no common stream muxer: ours [" + YAMUX + "], the remote's [/mplex/6.7.0]");
    }
    siege.isOver();
  }
}
