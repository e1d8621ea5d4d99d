package io.grpcstream.libp2p.mux.yamux;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The ways a stream can end, and that each leaves nothing behind. */
class StreamCloseTest {
  private static final int WINDOW = 262_144;

  private final Side side = new Side(true);

  @Test
  @DisplayName("Close with nothing pending sends a FIN and waits for the peer's FIN")
  void closeWithNothingPending() {
    YamuxStreamChannel stream = opened();
    stream.close();
    assertThat(side.sentText()).containsExactly("WINDOW[FIN] 1 +0");
    assertThat(side.recorder(stream).events).containsExactly("inactive");
    assertThat(side.session.outboundStreams()).isEqualTo(1);
    side.feed(Frame.data(0, 1, 1000), Frame.windowUpdate(Frame.FIN, 1, 0));
    assertThat(side.session.outboundStreams()).isZero();
    side.advance(Duration.ofSeconds(60));
    assertThat(side.sent()).isEmpty();
    side.finish();
  }

  @Test
  @DisplayName("A peer that goes on after our close is reset after the timeout")
  void peerThatGoesOnAfterOurClose() {
    YamuxStreamChannel stream = opened();
    stream.close();
    side.sent();
    for (int i = 0; i < 4; i++) {
      side.feed(Frame.data(0, 1, 65_536));
    }
    side.advance(Duration.ofMillis(9_999));
    assertThat(side.sent()).isEmpty();
    side.advance(Duration.ofMillis(1));
    assertThat(side.sentText()).containsExactly("WINDOW[RST] 1 +0");
    assertThat(side.session.outboundStreams()).isZero();
    side.finish();
  }

  @Test
  @DisplayName("A peer that sends past the window of a closed stream loses the connection")
  void dataPastAClosedStreamsWindow() {
    opened().close();
    side.feed(new Frame(0, Frame.DATA, 0, 1, WINDOW + 1, new byte[0]));
    assertThat(side.closedCause)
        .hasMessage("yamux: a 262,145-byte frame on stream 1, window 262,144");
    side.finish();
  }

  @Test
  void whatWasFlushedJustBeforeCloseIsSent() {
    YamuxStreamChannel stream = opened();
    ChannelFuture[] write = new ChannelFuture[1];
    side.turn(
        () -> {
          write[0] = stream.writeAndFlush(Side.buffer(100_000));
          stream.close();
        });
    assertThat(write[0].isSuccess()).isTrue();
    assertThat(side.sentText())
        .containsExactly("DATA 1 +65507", "DATA 1 +34493", "WINDOW[FIN] 1 +0");
    side.finish();
  }

  @Test
  @DisplayName("Close with writes that cannot go out fails them and resets")
  void closeWithWritesThatCannotGoOut() {
    YamuxStreamChannel stream = opened();
    ChannelFuture first = stream.writeAndFlush(Side.buffer(WINDOW));
    ChannelFuture second = stream.writeAndFlush(Side.buffer(10));
    side.sent();
    stream.close();
    assertThat(first.isSuccess()).isTrue();
    assertThat(second.cause()).isInstanceOf(ClosedChannelException.class);
    assertThat(side.sentText()).containsExactly("WINDOW[RST] 1 +0");
    assertThat(side.session.outboundStreams()).isZero();
    side.finish();
  }

  @Test
  @DisplayName("Close with writes that were never flushed fails them and resets")
  void closeWithUnflushedWrites() {
    YamuxStreamChannel stream = opened();
    ChannelFuture write = stream.write(Side.buffer(10));
    stream.close();
    assertThat(write.cause()).isInstanceOf(ClosedChannelException.class);
    assertThat(side.sentText()).containsExactly("WINDOW[RST] 1 +0");
    side.finish();
  }

  @Test
  void closingWhenAWriteCompletesSendsFinAfterIt() {
    YamuxStreamChannel stream = opened();
    stream.writeAndFlush(Side.buffer(10)).addListener(ChannelFutureListener.CLOSE);
    assertThat(side.sentText()).containsExactly("DATA 1 +10", "WINDOW[FIN] 1 +0");
    assertThat(stream.isOpen()).isFalse();
    side.finish();
  }

  @Test
  @DisplayName(
      "Closing when the first of several writes completes does not fail those in the same frame")
  void closingWhenTheFirstWriteCompletes() {
    YamuxStreamChannel stream = opened();
    ChannelFuture[] second = new ChannelFuture[1];
    side.turn(
        () -> {
          stream.write(Side.buffer(10)).addListener(ChannelFutureListener.CLOSE);
          second[0] = stream.writeAndFlush(Side.buffer(20));
        });
    assertThat(second[0].isSuccess()).isTrue();
    assertThat(side.sentText()).containsExactly("DATA 1 +30", "WINDOW[FIN] 1 +0");
    side.finish();
  }

  @Test
  @DisplayName("A stream closed before the peer heard of it sends nothing")
  void streamClosedBeforeItIsAnnounced() {
    side.turn(() -> side.open().close());
    assertThat(side.sent()).isEmpty();
    assertThat(side.session.outboundStreams()).isZero();
    YamuxStreamChannel next = side.open();
    assertThat(next.streamId()).isEqualTo(3);
    side.finish();
  }

  @Test
  @DisplayName("Without half-closure, the peer's FIN closes after pending writes were sent")
  void peersFinWithoutHalfClosure() {
    YamuxStreamChannel stream = opened();
    stream.writeAndFlush(Side.buffer(WINDOW));
    ChannelFuture pending = stream.writeAndFlush(Side.buffer(10));
    side.sent();
    side.feed(Frame.data(Frame.FIN, 1, 5));
    assertThat(stream.isOpen()).isTrue();
    assertThat(side.recorder(stream).bytes()).hasSize(5);
    side.feed(Frame.windowUpdate(0, 1, 100));
    assertThat(pending.isSuccess()).isTrue();
    assertThat(side.sentText()).containsExactly("DATA 1 +10", "WINDOW[FIN] 1 +0");
    assertThat(stream.isOpen()).isFalse();
    assertThat(side.session.outboundStreams()).isZero();
    side.finish();
  }

  @Test
  @DisplayName("Pending writes that do not go out after the peer's FIN are reset after the timeout")
  void stuckWritesAfterThePeersFin() {
    YamuxStreamChannel stream = opened();
    stream.writeAndFlush(Side.buffer(WINDOW));
    ChannelFuture pending = stream.writeAndFlush(Side.buffer(10));
    side.feed(Frame.windowUpdate(Frame.FIN, 1, 0));
    side.sent();
    side.advance(Duration.ofSeconds(10));
    assertThat(pending.cause()).isInstanceOf(ClosedChannelException.class);
    assertThat(side.sentText()).containsExactly("WINDOW[RST] 1 +0");
    side.finish();
  }

  @Test
  @DisplayName("Pending writes after the peer's FIN may take long, as long as the peer reads")
  void slowWritesAfterThePeersFin() {
    YamuxStreamChannel stream = opened();
    stream.writeAndFlush(Side.buffer(WINDOW));
    ChannelFuture pending = stream.writeAndFlush(Side.buffer(100_000));
    side.feed(Frame.windowUpdate(Frame.FIN, 1, 0));
    for (int i = 0; i < 5; i++) {
      side.advance(Duration.ofSeconds(9));
      side.feed(Frame.windowUpdate(0, 1, 20_000));
    }
    assertThat(pending.isSuccess()).isTrue();
    assertThat(side.sentText()).contains("WINDOW[FIN] 1 +0").doesNotContain("WINDOW[RST] 1 +0");
    side.finish();
  }

  @Test
  @DisplayName("A peer that reads nothing cannot keep a stream whose close shall send everything")
  void closeThatShallSendEverything() {
    YamuxStreamChannel stream = opened();
    ChannelFuture pending = closeAfter(stream, WINDOW + 10);
    side.sent();
    side.advance(Duration.ofMillis(9_999));
    assertThat(stream.isOpen()).isTrue();
    side.advance(Duration.ofMillis(1));
    assertThat(pending.cause())
        .isInstanceOf(StreamResetException.class)
        .hasMessage(
            "yamux: stream 1 was reset: closing, it waited for the peer to read, which took no"
                + " 16,384 bytes in 10 s");
    assertThat(side.sentText()).containsExactly("WINDOW[RST] 1 +0");
    assertThat(side.recorder(stream).inactive).isTrue();
    assertThat(side.session.outboundStreams()).isZero();
    side.finish();
  }

  @Test
  void thePeersFinDoesNotLengthenTheTimeItHasToRead() {
    YamuxStreamChannel stream = opened();
    closeAfter(stream, WINDOW + 10);
    side.sent();
    side.advance(Duration.ofSeconds(9));
    side.feed(Frame.windowUpdate(Frame.FIN, 1, 0));
    assertThat(stream.isOpen()).isTrue();
    side.advance(Duration.ofSeconds(1));
    assertThat(stream.isOpen()).isFalse();
    side.finish();
  }

  @Test
  @DisplayName("A peer that reads a byte at a time cannot keep a stream that closes")
  void peerThatReadsAByteAtATime() {
    YamuxStreamChannel stream = opened();
    closeAfter(stream, WINDOW + 100_000);
    side.sent();
    for (int i = 0; i < 10; i++) {
      side.feed(Frame.windowUpdate(0, 1, 1));
      side.advance(Duration.ofSeconds(1));
    }
    assertThat(side.sentText()).endsWith("WINDOW[RST] 1 +0");
    assertThat(side.session.outboundStreams()).isZero();
    side.finish();
  }

  @Test
  void aSlowPeerGetsAllThatWasWrittenBeforeTheClose() {
    YamuxStreamChannel stream = opened();
    ChannelFuture pending = closeAfter(stream, 3 * WINDOW);
    for (int given = 0; given < 2 * WINDOW; given += WINDOW / 8) {
      side.advance(Duration.ofSeconds(9));
      side.feed(Frame.windowUpdate(0, 1, WINDOW / 8));
    }
    assertThat(pending.isSuccess()).isTrue();
    List<Frame> sent = side.sent();
    assertThat(sent.stream().mapToLong(f -> f.type() == Frame.DATA ? f.length() : 0).sum())
        .isEqualTo(3 * WINDOW);
    assertThat(sent.get(sent.size() - 1)).hasToString("WINDOW[FIN] 1 +0");
    side.finish();
  }

  @Test
  @DisplayName("A peer that still reads after our FIN is not reset before it is done")
  void peerStillReadsAfterOurFin() {
    YamuxStreamChannel stream = opened();
    closeAfter(stream, WINDOW);
    side.sent();
    for (int read = 0; read < WINDOW; read += WINDOW / 8) {
      side.advance(Duration.ofSeconds(9));
      side.feed(Frame.windowUpdate(0, 1, WINDOW / 8));
    }
    assertThat(side.sent()).isEmpty();
    side.feed(Frame.windowUpdate(Frame.FIN, 1, 0));
    assertThat(side.session.outboundStreams()).isZero();
    side.finish();
  }

  @Test
  @DisplayName("Credit for more than was sent does not keep a closed stream")
  void creditForMoreThanWasSent() {
    YamuxStreamChannel stream = opened();
    closeAfter(stream, 20_000);
    side.sent();
    for (int i = 0; i < 5; i++) {
      side.feed(Frame.windowUpdate(0, 1, 1_000_000));
      side.advance(Duration.ofSeconds(5));
    }
    assertThat(side.sentText()).containsExactly("WINDOW[RST] 1 +0");
    side.finish();
  }

  @Test
  @DisplayName("What waits for the connection does not count against the peer")
  void waitingForTheConnectionIsNoFault() {
    YamuxConfig patient = Side.QUIET.toBuilder().writeTimeout(Duration.ofMinutes(5)).build();
    Side busy = new Side(true, patient);
    YamuxStreamChannel stream = busy.open();
    busy.sent();
    busy.congest();
    ChannelFuture pending = closeAfter(stream, 1000);
    busy.advance(Duration.ofSeconds(60));
    assertThat(stream.isOpen()).isTrue();
    busy.relieve();
    assertThat(pending.isSuccess()).isTrue();
    assertThat(busy.sentText()).containsExactly("DATA 1 +1000", "WINDOW[FIN] 1 +0");
    busy.finish();
  }

  @Test
  void aSlowReaderShowsThatItReadsAlsoAfterTheEnd() {
    YamuxStreamChannel stream = opened();
    stream.config().setAutoRead(false);
    for (int i = 0; i < 8; i++) {
      side.feed(Frame.data(0, 1, 20_000));
    }
    side.feed(Frame.windowUpdate(Frame.FIN, 1, 0));
    List<String> shown = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      side.advance(Duration.ofSeconds(3));
      stream.read();
      shown.addAll(side.sentText());
    }
    assertThat(shown).isNotEmpty().allMatch(frame -> frame.startsWith("WINDOW 1 +"));
    assertThat(side.recorder(stream).bytes()).hasSize(160_000);
    side.finish();
  }

  @Test
  void noFrameHasFinBesideDataOrAnotherFlag() {
    for (int pending : new int[] {0, 10, 100_000}) {
      for (boolean answered : new boolean[] {true, false}) {
        for (boolean half : new boolean[] {true, false}) {
          Side opener = new Side(true);
          Side listener = new Side(false);
          opener.turn(() -> end(opener.open(), pending, half));
          listener.onInbound = stream -> end(stream, pending, half);
          listener.feed(Frame.windowUpdate(Frame.SYN | (answered ? Frame.FIN : 0), 1, 0));
          for (Side one : List.of(opener, listener)) {
            assertThat(one.sent())
                .filteredOn(frame -> frame.has(Frame.FIN))
                .allMatch(frame -> frame.flags() == Frame.FIN && frame.payload().length == 0);
            one.finish();
          }
        }
      }
    }
  }

  private static void end(YamuxStreamChannel stream, int pending, boolean half) {
    stream.writeAndFlush(Side.buffer(pending));
    if (half) {
      stream.shutdownOutput();
    } else {
      stream.close();
    }
  }

  /** What {@code Stream.close()} makes of it. */
  private static ChannelFuture closeAfter(YamuxStreamChannel stream, int bytes) {
    ChannelFuture written = stream.writeAndFlush(Side.buffer(bytes));
    stream.expectEnd();
    stream.shutdownOutput().addListener(sent -> stream.close());
    return written;
  }

  @Test
  void halfCloseByUsThenByThePeer() {
    YamuxStreamChannel stream = opened();
    stream.writeAndFlush(Side.buffer(10));
    stream.shutdownOutput();
    assertThat(stream.isActive()).isTrue();
    side.feed(Frame.data(0, 1, 20), Frame.data(Frame.FIN, 1, 30));
    assertThat(side.recorder(stream).bytes()).hasSize(50);
    assertThat(side.recorder(stream).inactive).isTrue();
    assertThat(side.session.outboundStreams()).isZero();
    side.finish();
  }

  @Test
  void resetFailsWhatIsPendingAndTellsThePeerOnce() {
    YamuxStreamChannel stream = opened();
    stream.writeAndFlush(Side.buffer(WINDOW));
    ChannelFuture pending = stream.writeAndFlush(Side.buffer(10));
    side.sent();
    stream.reset();
    stream.reset();
    stream.close();
    assertThat(pending.cause())
        .isInstanceOf(StreamResetException.class)
        .hasMessage("yamux: stream 1 was reset locally");
    assertThat(side.sentText()).containsExactly("WINDOW[RST] 1 +0");
    assertThat(side.recorder(stream).exception).isNull();
    assertThat(side.recorder(stream).inactive).isTrue();
    side.finish();
  }

  @Test
  void resetAfterCloseEndsTheWaitForThePeersFin() {
    YamuxStreamChannel stream = opened();
    stream.close();
    stream.reset();
    assertThat(side.sentText()).containsExactly("WINDOW[FIN] 1 +0", "WINDOW[RST] 1 +0");
    assertThat(side.session.outboundStreams()).isZero();
    side.finish();
  }

  @Test
  @DisplayName(
      "A peer's reset fails pending writes, then tells the pipeline, then closes the channel")
  void peersResetEndsAllInOrder() {
    YamuxStreamChannel stream = opened();
    Recorder recorder = side.recorder(stream);
    stream.writeAndFlush(Side.buffer(WINDOW));
    recorder.events.clear();
    stream
        .writeAndFlush(Side.buffer(10))
        .addListener(write -> recorder.events.add("write " + write.cause().getMessage()));
    stream.closeFuture().addListener(closed -> recorder.events.add("closed"));
    side.sent();
    side.feed(Frame.windowUpdate(Frame.RST, 1, 0));
    assertThat(recorder.events)
        .containsSubsequence(
            "write yamux: stream 1 was reset by the other side",
            "StreamResetException",
            "closed",
            "inactive");
    assertThat(side.sent()).isEmpty();
    side.finish();
  }

  @Test
  @DisplayName("The end of the connection tells every stream and fails its writes")
  void endOfTheConnectionEndsStreams() {
    YamuxStreamChannel stream = opened();
    YamuxStreamChannel other = side.open();
    stream.writeAndFlush(Side.buffer(WINDOW));
    ChannelFuture pending = stream.writeAndFlush(Side.buffer(10));
    ChannelFuture unflushed = stream.write(Side.buffer(10));
    side.connection.close();
    side.runTasks();
    assertThat(pending.cause())
        .isInstanceOf(ConnectionLostException.class)
        .hasMessage("yamux: the other side closed the connection");
    assertThat(unflushed.cause()).hasRootCauseInstanceOf(ConnectionLostException.class);
    assertThat(side.recorder(other).events).containsExactly("ConnectionLostException", "inactive");
    assertThat(side.closedCause).isInstanceOf(ConnectionLostException.class);
    assertThat(side.session.outboundStreams()).isZero();
    side.finish();
  }

  @Test
  @DisplayName(
      "A stream that the peer finished is read to its end, also when the connection ends with it")
  void finishedStreamIsReadToItsEnd() {
    YamuxStreamChannel whole = opened();
    YamuxStreamChannel cut = opened();
    side.turn(
        () -> {
          for (int i = 0; i < 40; i++) {
            side.connection.pipeline().fireChannelRead(side.bufferOf(Frame.data(0, 1, 5000)));
            side.connection.pipeline().fireChannelRead(side.bufferOf(Frame.data(0, 3, 5000)));
          }
          side.connection
              .pipeline()
              .fireChannelRead(side.bufferOf(Frame.windowUpdate(Frame.FIN, 1, 0)));
          side.connection.pipeline().fireChannelInactive();
        });
    assertThat(side.recorder(whole).bytes()).hasSize(200_000);
    assertThat(side.recorder(whole).exception).isNull();
    assertThat(side.recorder(whole).inactive).isTrue();
    assertThat(side.recorder(cut).events)
        .startsWith("read 5000")
        .containsSubsequence("ConnectionLostException", "inactive")
        .endsWith("inactive");
    side.finish();
  }

  @Test
  @DisplayName("A failure of the connection is the cause of its streams' end")
  void failureOfTheConnectionIsTheCause() {
    YamuxStreamChannel stream = opened();
    java.io.IOException broken = new java.io.IOException("cable cut");
    side.connection.pipeline().fireExceptionCaught(broken);
    side.runTasks();
    assertThat(side.recorder(stream).exception).hasMessage("cable cut").hasCause(broken);
    assertThat(side.closedCause).isSameAs(broken);
    assertThat(side.connection.isOpen()).isFalse();
    side.finish();
  }

  private YamuxStreamChannel opened() {
    YamuxStreamChannel stream = side.open();
    side.feed(Frame.windowUpdate(Frame.ACK, stream.streamId(), 0));
    side.sent();
    return stream;
  }
}
