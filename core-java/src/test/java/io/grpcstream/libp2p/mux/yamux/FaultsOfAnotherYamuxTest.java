package io.grpcstream.libp2p.mux.yamux;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledHeapByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What was found wrong in another yamux by running it; one test for each. */
class FaultsOfAnotherYamuxTest {
  private static final int WINDOW = 262_144;

  private final Side side = new Side(true);

  @Test
  @DisplayName("A stream whose window is used up is unwritable until credit comes")
  void usedUpWindowMeansUnwritable() {
    YamuxStreamChannel stream = side.open();
    side.turn(() -> stream.writeAndFlush(Side.buffer(WINDOW - 1)));
    assertThat(stream.isWritable()).isTrue();
    side.turn(() -> stream.writeAndFlush(Side.buffer(1)));
    assertThat(stream.isWritable()).isFalse();
    side.feed(Frame.windowUpdate(Frame.ACK, 1, 1));
    assertThat(stream.isWritable()).isTrue();
    assertThat(side.recorder(stream).events).endsWith("unwritable", "writable");
    side.finish();
  }

  @Test
  void tenMebibytesPendingCloseNothing() {
    Pair pair = new Pair();
    YamuxStreamChannel stream = pair.open();
    pair.accepted().config().setAutoRead(false);
    List<ChannelFuture> writes = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      writes.add(stream.writeAndFlush(Side.buffer(1 << 20)));
    }
    pair.settle();
    assertThat(stream.isActive()).isTrue();
    assertThat(stream.isWritable()).isFalse();
    assertThat(writes).noneMatch(ChannelFuture::isDone);
    pair.accepted().config().setAutoRead(true);
    pair.settle();
    assertThat(writes).allMatch(ChannelFuture::isSuccess);
    assertThat(pair.listener.recorder(pair.accepted()).bytes()).hasSize(12 << 20);
    pair.finish();
  }

  @Test
  @DisplayName("The window is given back when data is read, not when it arrives")
  void windowIsGivenBackOnReading() {
    Side listener = new Side(false);
    listener.onInbound = stream -> stream.config().setAutoRead(false);
    for (int flags : new int[] {Frame.SYN, 0, 0}) {
      listener.feed(Frame.data(flags, 1, 65_536));
    }
    assertThat(listener.sentText()).containsExactly("WINDOW[ACK] 1 +0");
    listener.onlyInbound().read();
    assertThat(listener.sentText()).isEmpty();
    listener.onlyInbound().read();
    assertThat(listener.sentText()).containsExactly("WINDOW 1 +131072");
    listener.finish();
  }

  @Test
  void halfCloseSendsWhatWasNotYetSent() {
    Pair pair = new Pair();
    YamuxStreamChannel stream = pair.open();
    stream.writeAndFlush(Side.buffer(1_000_000));
    stream.write(Side.buffer(1000));
    ChannelFuture fin = stream.shutdownOutput();
    assertThat(fin.isDone()).isFalse();
    pair.settle();
    assertThat(fin.isSuccess()).isTrue();
    assertThat(pair.listener.recorder(pair.accepted()).bytes()).hasSize(1_001_000);
    pair.finish();
  }

  @Test
  void finWithPayloadDeliversThePayload() {
    Side listener = new Side(false);
    listener.feed(Frame.data(Frame.SYN | Frame.FIN, 1, 100));
    Recorder recorder = listener.recorder(listener.onlyInbound());
    assertThat(recorder.events).containsExactly("read 100", "complete", "inactive");
    listener.finish();
  }

  @Test
  void aFinThatComesTwiceEndsTheInputOnce() {
    Side listener = new Side(false);
    listener.onInbound = stream -> stream.config().setAllowHalfClosure(true);
    listener.feed(Frame.windowUpdate(Frame.SYN, 1, 0), Frame.windowUpdate(Frame.FIN, 1, 0));
    listener.feed(Frame.windowUpdate(Frame.FIN, 1, 0), Frame.data(Frame.FIN, 1, 0));
    assertThat(listener.recorder(listener.onlyInbound()).events)
        .containsExactly("ChannelInputShutdownEvent", "ChannelInputShutdownReadComplete");
    assertThat(listener.onlyInbound().isActive()).isTrue();
    listener.finish();
  }

  @Test
  void finIsSentOnce() {
    YamuxStreamChannel stream = side.open();
    stream.shutdownOutput();
    stream.shutdownOutput();
    stream.shutdown();
    stream.close();
    assertThat(side.sent().stream().filter(frame -> frame.has(Frame.FIN))).hasSize(1);
    side.finish();
  }

  @Test
  void finInTheFrameThatAcknowledgesIsNotLost() {
    YamuxStreamChannel stream = side.open();
    side.sent();
    side.feed(Frame.data(Frame.ACK | Frame.FIN, 1, 3));
    assertThat(side.recorder(stream).events).containsExactly("read 3", "complete", "inactive");
    side.finish();
  }

  @Test
  void emptyDataFramesAreReleasedAndReadByNobody() {
    Side listener = new Side(false);
    listener.feed(Frame.data(Frame.SYN, 1, 0));
    for (int i = 0; i < 100; i++) {
      listener.feed(Frame.data(0, 1, 0));
    }
    assertThat(listener.alloc.metric().usedHeapMemory()).isEqualTo(12); // The ACK, not yet read.
    assertThat(listener.recorder(listener.onlyInbound()).events).isEmpty();
    listener.finish();
  }

  @Test
  @DisplayName(
      "Forty thousand small writes behind a closed window touch each of them a few times only")
  void smallWritesBehindAClosedWindow() {
    YamuxStreamChannel stream = side.open();
    stream.writeAndFlush(Side.buffer(WINDOW));
    List<CountingBuffer> buffers = new ArrayList<>();
    side.turn(
        () -> {
          for (int i = 0; i < 40_000; i++) {
            CountingBuffer buffer = new CountingBuffer(side, i);
            buffers.add(buffer);
            stream.writeAndFlush(buffer);
          }
        });
    side.sent();
    side.feed(Frame.windowUpdate(Frame.ACK, 1, 400_000));
    assertThat(buffers).allMatch(buffer -> buffer.refCnt() == 0);
    assertThat(buffers.stream().mapToInt(buffer -> buffer.looks).max().orElseThrow())
        .isLessThan(10);
    List<Frame> frames = side.sent();
    assertThat(frames).hasSize(400_000 / YamuxConfig.DEFAULT_FRAME_DATA + 1);
    side.finish();
  }

  @Test
  @DisplayName("Credit comes while the sender has half a window left to send")
  void creditComesAtHalfAWindow() {
    Side listener = new Side(false);
    listener.feed(Frame.windowUpdate(Frame.SYN, 1, 0));
    listener.sent();
    // One frame of the whole window, which arrives in two halves.
    byte[] frame = Frame.data(0, 1, WINDOW).bytes();
    byte[] firstHalf = java.util.Arrays.copyOf(frame, 12 + WINDOW / 2);
    listener.feed(firstHalf);
    assertThat(listener.sentText()).containsExactly("WINDOW 1 +131072");
    listener.feed(java.util.Arrays.copyOfRange(frame, firstHalf.length, frame.length));
    assertThat(listener.sentText()).containsExactly("WINDOW 1 +131072");
    listener.finish();
  }

  @Test
  @DisplayName("A write from handlerAdded leaves as data of that stream")
  void writeFromHandlerAdded() {
    YamuxStreamChannel stream = side.open();
    stream
        .pipeline()
        .addFirst(
            new ChannelInboundHandlerAdapter() {
              @Override
              public void handlerAdded(ChannelHandlerContext ctx) {
                ctx.writeAndFlush(Side.buffer(9));
              }
            });
    Side listener = new Side(false);
    listener.onInbound =
        inbound ->
            inbound
                .pipeline()
                .addLast(
                    new ChannelInboundHandlerAdapter() {
                      @Override
                      public void handlerAdded(ChannelHandlerContext ctx) {
                        ctx.writeAndFlush(Side.buffer(9));
                      }
                    });
    Side.buffer(1).release();
    listener.feed(Frame.windowUpdate(Frame.SYN, 1, 0));
    assertThat(listener.sentText()).containsExactly("DATA[ACK] 1 +9");
    assertThat(side.sent()).anyMatch(frame -> frame.type() == Frame.DATA && frame.length() == 9);
    listener.finish();
    side.finish();
  }

  /** Ten bytes that count how often somebody asks for their number. */
  private static final class CountingBuffer extends UnpooledHeapByteBuf {
    int looks;

    CountingBuffer(Side side, int i) {
      super(side.alloc, 10, 10);
      writeLong(i).writeShort(0);
    }

    @Override
    public int readableBytes() {
      looks++;
      return super.readableBytes();
    }

    @Override
    public ByteBuf touch(Object hint) {
      return this;
    }
  }
}
