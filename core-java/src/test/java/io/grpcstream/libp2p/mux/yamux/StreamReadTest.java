package io.grpcstream.libp2p.mux.yamux;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import java.util.Collections;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** How a stream's pipeline gets what arrives. */
class StreamReadTest {
  private final Side side = new Side(false);

  @Test
  @DisplayName("Data that comes with the SYN reaches handlers added in the callback")
  void dataWithTheSynReachesHandlers() {
    side.feed(Frame.data(Frame.SYN, 1, 10), Frame.data(0, 1, 5));
    assertThat(side.recorder(side.onlyInbound()).events)
        .containsExactly("read 10", "read 5", "complete");
    side.finish();
  }

  @Test
  void withoutAutoReadEachReadDeliversOneBuffer() {
    side.onInbound = stream -> stream.config().setAutoRead(false);
    side.feed(Frame.data(Frame.SYN, 1, 5000));
    side.feed(Frame.data(0, 1, 6000));
    YamuxStreamChannel stream = side.onlyInbound();
    Recorder recorder = side.recorder(stream);
    assertThat(recorder.events).isEmpty();
    stream.read();
    side.runTasks();
    assertThat(recorder.events).containsExactly("read 5000", "complete");
    stream.read();
    stream.read();
    side.runTasks();
    assertThat(recorder.events).containsExactly("read 5000", "complete", "read 6000", "complete");
    side.feed(Frame.data(0, 1, 7));
    assertThat(recorder.events).hasSize(4);
    side.finish();
  }

  @Test
  @DisplayName("A read that was asked for in the callback is answered by the first data")
  void readAskedForInTheCallback() {
    side.onInbound =
        stream -> {
          stream.config().setAutoRead(false);
          stream.read();
        };
    side.feed(Frame.data(Frame.SYN, 1, 50), Frame.data(0, 1, 60));
    assertThat(side.recorder(side.onlyInbound()).events).containsExactly("read 50", "complete");
    side.finish();
  }

  @Test
  @DisplayName("Turning autoRead off while reading stops after that buffer")
  void autoReadTurnedOffWhileReading() {
    side.onInbound =
        stream ->
            stream
                .pipeline()
                .addLast(
                    new ChannelInboundHandlerAdapter() {
                      @Override
                      public void channelRead(ChannelHandlerContext ctx, Object message) {
                        ctx.channel().config().setAutoRead(false);
                        ctx.fireChannelRead(message);
                      }
                    });
    side.feed(Frame.data(Frame.SYN, 1, 5), Frame.data(0, 1, 6));
    YamuxStreamChannel stream = side.onlyInbound();
    assertThat(side.recorder(stream).events).containsExactly("read 5", "complete");
    stream.config().setAutoRead(true);
    side.runTasks();
    assertThat(side.recorder(stream).events)
        .containsExactly("read 5", "complete", "read 6", "complete");
    side.finish();
  }

  @Test
  @DisplayName("One turn delivers no more than the configured messages")
  void messagesInOneTurnAreLimited() {
    side.onInbound =
        stream -> stream.config().setOption(ChannelOption.RECVBUF_ALLOCATOR, messages(2));
    Frame[] frames = new Frame[5];
    for (int i = 0; i < 5; i++) {
      frames[i] = Frame.data(i == 0 ? Frame.SYN : 0, 1, 5000);
    }
    side.turn(() -> side.connection.pipeline().fireChannelRead(side.bufferOf(frames)));
    side.connection.pipeline().fireChannelReadComplete();
    assertThat(side.recorder(side.onlyInbound()).events.subList(0, 3))
        .containsExactly("read 5000", "read 5000", "complete");
    side.runTasks();
    assertThat(side.recorder(side.onlyInbound()).bytes()).hasSize(25_000);
    assertThat(Collections.frequency(side.recorder(side.onlyInbound()).events, "complete"))
        .isGreaterThanOrEqualTo(2);
    side.finish();
  }

  @SuppressWarnings("deprecation") // Netty has no other way to set it.
  private static io.netty.channel.RecvByteBufAllocator messages(int max) {
    return new io.netty.channel.FixedRecvByteBufAllocator(1).maxMessagesPerRead(max);
  }

  @Test
  void readingFromReadCompleteGoesOn() {
    side.onInbound =
        stream -> {
          stream.config().setAutoRead(false);
          stream.read();
          stream
              .pipeline()
              .addLast(
                  new ChannelInboundHandlerAdapter() {
                    @Override
                    public void channelReadComplete(ChannelHandlerContext ctx) {
                      ctx.fireChannelReadComplete();
                      ctx.read();
                    }
                  });
        };
    side.feed(Frame.data(Frame.SYN, 1, 5000), Frame.data(0, 1, 6000), Frame.data(0, 1, 7000));
    assertThat(side.recorder(side.onlyInbound()).bytes()).hasSize(18_000);
    side.finish();
  }

  @Test
  void aHandlerThatHoldsReadsHoldsTheFirstOne() {
    ReadHolder holder = new ReadHolder();
    side.onInbound = stream -> stream.pipeline().addFirst(holder);
    side.feed(Frame.data(Frame.SYN, 1, 5));
    YamuxStreamChannel stream = side.onlyInbound();
    assertThat(side.recorder(stream).events).isEmpty();
    stream.pipeline().remove(holder);
    stream.read();
    side.runTasks();
    assertThat(side.recorder(stream).events).containsExactly("read 5", "complete");
    side.finish();
  }

  private static final class ReadHolder extends io.netty.channel.ChannelDuplexHandler {
    @Override
    public void read(ChannelHandlerContext ctx) {
      // Held.
    }
  }

  @Test
  void theEndOfInputWaitsForTheReader() {
    side.onInbound = stream -> stream.config().setAutoRead(false);
    side.feed(Frame.data(Frame.SYN | Frame.FIN, 1, 5));
    YamuxStreamChannel stream = side.onlyInbound();
    assertThat(stream.isActive()).isTrue();
    stream.read();
    side.runTasks();
    assertThat(stream.isActive()).isTrue();
    stream.read();
    side.runTasks();
    assertThat(side.recorder(stream).events).containsExactly("read 5", "complete", "inactive");
    side.finish();
  }

  @Test
  @DisplayName("With half-closure, the stream stays open after FIN and can answer")
  void halfClosureKeepsTheStreamOpen() {
    side.onInbound = stream -> stream.config().setAllowHalfClosure(true);
    side.feed(Frame.data(Frame.SYN | Frame.FIN, 1, 5));
    YamuxStreamChannel stream = side.onlyInbound();
    assertThat(side.recorder(stream).events)
        .containsExactly(
            "read 5", "complete", "ChannelInputShutdownEvent", "ChannelInputShutdownReadComplete");
    assertThat(stream.isInputShutdown()).isTrue();
    assertThat(stream.isOutputShutdown()).isFalse();
    side.sent();
    stream.writeAndFlush(Side.buffer(7));
    stream.shutdownOutput();
    assertThat(side.sentText()).containsExactly("DATA 1 +7", "WINDOW[FIN] 1 +0");
    assertThat(stream.isOpen()).isFalse();
    assertThat(side.session.inboundStreams()).isZero();
    side.finish();
  }

  @Test
  @DisplayName("After shutdownInput, data is dropped and its credit given back")
  void dataAfterShutdownInput() {
    side.onInbound = stream -> stream.config().setAutoRead(false);
    side.feed(Frame.data(Frame.SYN, 1, 131_072));
    YamuxStreamChannel stream = side.onlyInbound();
    side.sent();
    stream.shutdownInput();
    assertThat(side.sentText()).containsExactly("WINDOW 1 +131072");
    side.feed(Frame.data(0, 1, 131_072));
    assertThat(side.sentText()).containsExactly("WINDOW 1 +131072");
    assertThat(side.recorder(stream).events).isEmpty();
    side.finish();
  }

  @Test
  void aResetDropsWhatWasNotRead() {
    side.onInbound = stream -> stream.config().setAutoRead(false);
    side.feed(Frame.data(Frame.SYN, 1, 100));
    side.feed(Frame.windowUpdate(Frame.RST, 1, 0));
    Recorder recorder = side.recorder(side.onlyInbound());
    assertThat(recorder.events).containsExactly("StreamResetException", "inactive");
    assertThat(((StreamResetException) recorder.exception).isRemote()).isTrue();
    assertThat(recorder.exception).hasMessage("yamux: stream 1 was reset by the other side");
    side.finish();
  }

  @Test
  void closingFromChannelReadStopsDelivery() {
    side.onInbound =
        stream ->
            stream
                .pipeline()
                .addLast(
                    new ChannelInboundHandlerAdapter() {
                      @Override
                      public void channelRead(ChannelHandlerContext ctx, Object message) {
                        ctx.fireChannelRead(message);
                        ctx.close();
                      }
                    });
    side.feed(Frame.data(Frame.SYN, 1, 5), Frame.data(0, 1, 6), Frame.data(0, 1, 7));
    assertThat(side.recorder(side.onlyInbound()).bytes()).hasSize(5);
    assertThat(side.sentText()).containsExactly("WINDOW[ACK] 1 +0", "WINDOW[FIN] 1 +0");
    side.finish();
  }

  @Test
  @DisplayName("Closing the session from channelRead ends every stream")
  void sessionClosedFromChannelRead() {
    side.onInbound =
        stream ->
            stream
                .pipeline()
                .addLast(
                    new ChannelInboundHandlerAdapter() {
                      @Override
                      public void channelRead(ChannelHandlerContext ctx, Object message) {
                        ctx.fireChannelRead(message);
                        side.session.close();
                      }
                    });
    side.feed(
        Frame.windowUpdate(Frame.SYN, 3, 0), Frame.data(Frame.SYN, 1, 5), Frame.data(0, 1, 6));
    assertThat(side.inbound)
        .allSatisfy(
            stream -> {
              assertThat(side.recorder(stream).exception)
                  .isInstanceOf(ConnectionLostException.class)
                  .hasMessage("yamux: the session was closed");
              assertThat(side.recorder(stream).inactive).isTrue();
            });
    assertThat(side.closedCause).isNull();
    side.finish();
  }

  @Test
  @DisplayName("A handler of an inbound stream that fails costs that stream only")
  void handlerOfAnInboundStreamFails() {
    side.onInbound =
        stream -> {
          if (stream.streamId() == 1) {
            throw new IllegalStateException("no");
          }
        };
    side.feed(Frame.data(Frame.SYN, 1, 5), Frame.data(Frame.SYN, 3, 6));
    assertThat(side.sentText()).containsExactly("WINDOW[RST] 1 +0", "WINDOW[ACK] 3 +0");
    assertThat(side.recorder(side.inbound.get(1)).bytes()).hasSize(6);
    side.finish();
  }
}
