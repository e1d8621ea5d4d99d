package io.grpcstream.libp2p.mux.yamux;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelOutputShutdownException;
import java.nio.channels.AlreadyConnectedException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** How a stream's writes become frames, and when they are complete. */
class StreamWriteTest {
  private static final int WINDOW = 262_144;
  private static final int FRAME = YamuxConfig.DEFAULT_FRAME_DATA;

  private final Side side = new Side(true);
  private final YamuxStreamChannel stream = side.open();

  @Test
  void aTurnsWritesLeaveInOneFrameAndOneFlush() {
    side.flushes = 0;
    side.turn(
        () -> {
          for (int i = 0; i < 5; i++) {
            stream.write(Side.buffer(9));
            stream.writeAndFlush(Side.buffer(90));
          }
        });
    assertThat(side.flushes).isEqualTo(1);
    assertThat(side.sentText()).containsExactly("DATA[SYN] 1 +495");
    side.finish();
  }

  @Test
  void someKibibytesOfAStreamAloneLeaveAtOnce() {
    side.flushes = 0;
    side.turn(
        () -> {
          stream.writeAndFlush(Side.buffer(1000));
          assertThat(side.flushes).isZero();
          stream.writeAndFlush(Side.buffer(1000));
          assertThat(side.flushes).isEqualTo(1);
          stream.writeAndFlush(Side.buffer(30_000));
          assertThat(side.flushes).isEqualTo(2);
        });
    assertThat(side.sentText()).containsExactly("DATA[SYN] 1 +2000", "DATA 1 +30000");
    side.finish();
  }

  @Test
  @DisplayName("More of it, and what another stream stands beside, waits for the end of the turn")
  void moreWaitsForTheEndOfTheTurn() {
    YamuxStreamChannel other = side.open();
    side.sent();
    side.flushes = 0;
    side.turn(
        () -> {
          stream.writeAndFlush(Side.buffer(32 * 1024));
          other.writeAndFlush(Side.buffer(3000));
          assertThat(side.flushes).isZero();
        });
    assertThat(side.sentText()).containsExactly("DATA 1 +32768", "DATA 3 +3000");
    side.finish();
  }

  @Test
  void theFramesOfManyStreamsLeaveInOneFlush() {
    List<YamuxStreamChannel> streams = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      streams.add(side.open());
    }
    side.sent();
    side.flushes = 0;
    side.turn(() -> streams.forEach(each -> each.writeAndFlush(Side.buffer(100))));
    assertThat(side.flushes).isEqualTo(1);
    assertThat(side.sent()).hasSize(100);
    side.finish();
  }

  @Test
  @DisplayName("The frame holds the bytes in order, whatever the sizes of the writes")
  void frameHoldsTheBytesInOrder() {
    side.sent();
    int[] sizes = {1, 512, 513, 9, 30_000, 511, 7, 0, 20_000, 3};
    byte[] all = Frame.pattern(51_556);
    side.turn(
        () -> {
          int at = 0;
          for (int size : sizes) {
            stream.write(Unpooled.copiedBuffer(all, at, size));
            at += size;
          }
          stream.flush();
        });
    List<Frame> frames = side.sent();
    assertThat(frames).hasSize(1);
    assertThat(frames.get(0).payload()).isEqualTo(all);
    side.finish();
  }

  @Test
  void bigWritesAreCutIntoFramesAndWindows() {
    ChannelFuture write = stream.writeAndFlush(Side.buffer(WINDOW + 10));
    List<Frame> frames = side.sent();
    assertThat(frames)
        .extracting(Frame::length)
        .containsExactly(
            (long) FRAME, (long) FRAME, (long) FRAME, (long) FRAME, WINDOW - 4L * FRAME);
    assertThat(write.isDone()).isFalse();
    side.feed(Frame.windowUpdate(Frame.ACK, 1, 4));
    assertThat(write.isDone()).isFalse();
    side.feed(Frame.windowUpdate(0, 1, 100));
    assertThat(write.isSuccess()).isTrue();
    assertThat(side.sentText()).containsExactly("DATA 1 +4", "DATA 1 +6");
    side.finish();
  }

  @Test
  void progressIsReportedAcrossWindows() {
    List<Long> progress = new ArrayList<>();
    var promise = stream.newProgressivePromise();
    promise.addListener(
        new io.netty.channel.ChannelProgressiveFutureListener() {
          @Override
          public void operationProgressed(
              io.netty.channel.ChannelProgressiveFuture future, long done, long total) {
            progress.add(done);
          }

          @Override
          public void operationComplete(io.netty.channel.ChannelProgressiveFuture future) {
            progress.add(-1L);
          }
        });
    stream.writeAndFlush(Side.buffer(WINDOW + 10), promise);
    side.runTasks();
    side.feed(Frame.windowUpdate(Frame.ACK, 1, 10));
    assertThat(progress).contains((long) FRAME, (long) WINDOW).endsWith(WINDOW + 10L, -1L);
    side.finish();
  }

  @Test
  @DisplayName("Writes complete in order when the connection has taken them")
  void writesCompleteInOrder() {
    List<Integer> completed = new ArrayList<>();
    side.congest();
    side.turn(
        () -> {
          for (int i = 0; i < 10; i++) {
            int number = i;
            stream.writeAndFlush(Side.buffer(10_000)).addListener(written -> completed.add(number));
          }
        });
    assertThat(completed).isEmpty();
    side.relieve();
    assertThat(completed).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    side.finish();
  }

  @Test
  @DisplayName("Empty writes complete in their turn, also without window")
  void emptyWritesWithoutWindow() {
    ChannelFuture all = stream.writeAndFlush(Side.buffer(WINDOW));
    ChannelFuture empty = stream.writeAndFlush(Unpooled.EMPTY_BUFFER);
    side.runTasks();
    assertThat(all.isSuccess()).isTrue();
    assertThat(empty.isSuccess()).isTrue();
    ChannelFuture stuck = stream.writeAndFlush(Side.buffer(1));
    ChannelFuture behind = stream.writeAndFlush(Unpooled.EMPTY_BUFFER);
    assertThat(stuck.isDone() || behind.isDone()).isFalse();
    side.feed(Frame.windowUpdate(Frame.ACK, 1, 1));
    assertThat(stuck.isSuccess() && behind.isSuccess()).isTrue();
    side.finish();
  }

  @Test
  void cancelledWritesAreSkipped() {
    ChannelFuture first = stream.write(Side.buffer(10));
    ChannelFuture second = stream.write(Side.buffer(20));
    first.cancel(false);
    stream.flush();
    assertThat(side.sentText()).containsExactly("DATA[SYN] 1 +20");
    assertThat(second.isSuccess()).isTrue();
    side.finish();
  }

  @Test
  @DisplayName("Writing from a writability change and from a completion keeps the order")
  void writesFromCallbacksKeepTheOrder() {
    Pair pair = new Pair();
    YamuxStreamChannel sender = pair.open();
    byte[] all = Frame.pattern(1_000_000);
    int[] written = new int[1];
    Runnable more =
        () -> {
          while (sender.isWritable() && written[0] < all.length) {
            int bytes = Math.min(10_001, all.length - written[0]);
            int at = written[0];
            written[0] += bytes;
            sender.writeAndFlush(Unpooled.copiedBuffer(all, at, bytes));
          }
        };
    sender
        .pipeline()
        .addLast(
            new ChannelInboundHandlerAdapter() {
              @Override
              public void channelWritabilityChanged(ChannelHandlerContext ctx) {
                more.run();
              }
            });
    sender.pipeline().remove(Recorder.class);
    sender.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(done -> more.run());
    pair.settle();
    assertThat(pair.listener.recorder(pair.accepted()).bytes()).isEqualTo(all);
    pair.finish();
  }

  @Test
  @DisplayName("After shutdownOutput, writes fail and the channel is unwritable")
  void writesAfterShutdownOutput() {
    side.sent();
    ChannelFuture fin = stream.shutdownOutput();
    assertThat(fin.isSuccess()).isTrue();
    assertThat(stream.isWritable()).isFalse();
    assertThat(stream.isOutputShutdown()).isTrue();
    assertThat(stream.isActive()).isTrue();
    ChannelFuture late = stream.writeAndFlush(Side.buffer(1));
    assertThat(late.cause()).isInstanceOf(ChannelOutputShutdownException.class);
    assertThat(side.sentText()).containsExactly("WINDOW[FIN] 1 +0");
    assertThat(side.recorder(stream).events).contains("ChannelOutputShutdownEvent");
    side.finish();
  }

  @Test
  void onlyByteBufsCanBeWritten() {
    assertThat(stream.writeAndFlush("text").cause())
        .isInstanceOf(UnsupportedOperationException.class)
        .hasMessage("yamux: stream 1 carries ByteBuf only, not java.lang.String");
    side.finish();
  }

  @Test
  void aStreamIsConnectedAlready() {
    assertThat(stream.connect(side.connection.remoteAddress()).cause())
        .isInstanceOf(AlreadyConnectedException.class);
    assertThat(stream.parent()).isSameAs(side.connection);
    assertThat(stream.remoteAddress()).isEqualTo(side.connection.remoteAddress());
    assertThat(stream.isActive()).isTrue();
    side.finish();
  }

  @Test
  @DisplayName("What a listener flushes while the stream's turn goes on leaves too")
  void listenersFlushDuringTheTurn() {
    YamuxStreamChannel other = side.open();
    side.sent();
    side.turn(
        () -> {
          stream
              .writeAndFlush(Side.buffer(3000))
              .addListener(
                  sent ->
                      other
                          .writeAndFlush(Side.buffer(10))
                          .addListener(sentToo -> stream.writeAndFlush(Side.buffer(7))));
          assertThat(side.flushes).isPositive();
        });
    assertThat(side.sentText()).containsExactly("DATA 1 +3000", "DATA 3 +10", "DATA 1 +7");
    side.finish();
  }

  @Test
  void whatLeavesBeforeTheEndOfTheTurnIsBounded() {
    side.sent();
    side.flushes = 0;
    side.turn(
        () -> {
          for (int i = 0; i < 10; i++) {
            stream.writeAndFlush(Side.buffer(20_000));
          }
          assertThat(side.flushes).isEqualTo(4);
        });
    assertThat(side.flushes).isGreaterThan(4);
    assertThat(side.sent().stream().mapToLong(Frame::length).sum()).isEqualTo(200_000);
    side.finish();
  }
}
