package io.grpcstream.libp2p.foreign;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.YamuxPair;
import io.grpcstream.testing.MuxedChannel;
import io.libp2p.etc.util.netty.mux.RemoteWriteClosed;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.local.LocalIoHandler;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.AttributeKey;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** {@link Stream#over} of a channel like those of jvm-libp2p, whose far end is used as it is. */
@Timeout(60)
class ForeignStreamTest {
  private static final String PROTOCOL = "/test/1.0.0";
  private static final int MEGABYTE = 1 << 20;
  private static final String END = "end of input";
  private static final String INACTIVE = "inactive";

  private final MultiThreadIoEventLoopGroup group =
      new MultiThreadIoEventLoopGroup(2, LocalIoHandler.newFactory());
  private final MuxedChannel near = MuxedChannel.create();
  private final MuxedChannel far = near.peer();
  private final Reader reader = new Reader();
  private final Reader farReader = new Reader();
  private Stream stream;
  private DuplexChannel channel;

  @BeforeEach
  void open() {
    EventLoop loop = group.next();
    stream = on(loop, () -> register(loop, near, foreign(near)));
    channel = (DuplexChannel) stream.channel();
    channel.pipeline().addLast(reader);
    EventLoop farLoop = group.next();
    on(farLoop, () -> register(farLoop, far, () -> far.pipeline().addLast(farReader)));
  }

  private static <T> T register(EventLoop loop, Channel channel, Supplier<T> then) {
    loop.register(channel);
    return then.get();
  }

  private static Supplier<Stream> foreign(Channel channel) {
    return () ->
        Stream.over(
            channel,
            YamuxPair.DIALLER,
            YamuxPair.ACCEPTOR,
            YamuxPair.ACCEPTOR_ADDRESS,
            PROTOCOL,
            true);
  }

  private static <T> T on(EventLoop loop, Supplier<T> task) {
    return loop.submit(task::get).syncUninterruptibly().getNow();
  }

  @AfterEach
  void close() {
    near.close().syncUninterruptibly();
    far.close().syncUninterruptibly();
    group.shutdownGracefully(0, 5, SECONDS).syncUninterruptibly();
  }

  private static ByteBuf bytes(int count) {
    return Unpooled.buffer(count).writeZero(count);
  }

  /** Returns once all that {@code from} has sent before has arrived at the other end. */
  private static void arrived(MuxedChannel from) {
    on(from.eventLoop(), () -> true);
    on(from.peer().eventLoop(), () -> true);
  }

  @Test
  void theFarEndIsAsJvmLibp2pIs() throws Exception {
    assertThat(far.config()).isNotSameAs(far.config());
    far.config().setAutoRead(false);
    channel.writeAndFlush(bytes(1)).sync();
    farReader.await(1);
    far.writeAndFlush(bytes(MEGABYTE / 2)).sync(); // Unread; twice as much would be reset.
    assertThat(on(far.eventLoop(), far::isWritable)).isTrue();
    stream.close();
    farReader.await(END);
  }

  @Test
  @DisplayName("Bytes that nobody reads wait, and come in order before the end")
  void unreadBytesComeBeforeTheEnd() throws Exception {
    far.writeAndFlush(Unpooled.copyInt(1));
    far.writeAndFlush(Unpooled.copyInt(2, 3));
    far.disconnect().sync();
    arrived(far);
    assertThat(reader.events).isEmpty();
    assertThat(channel.isActive()).isTrue();

    channel.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
    channel.config().setAutoRead(true);

    reader.await(END);
    assertThat(reader.bytes).isEqualTo("000000010000000200000003");
    assertThat(channel.isInputShutdown()).isTrue();
    assertThat(channel.isOutputShutdown()).isFalse();
  }

  @Test
  void withoutAutoReadOneReadBringsOneBuffer() throws Exception {
    for (int i = 0; i < 3; i++) {
      far.writeAndFlush(bytes(10_000)).sync();
    }
    arrived(far);
    channel.read();
    reader.await(10_000);
    arrived(far);
    assertThat(reader.count).isEqualTo(10_000);
    channel.read();
    reader.await(20_000);
  }

  @Test
  void upToTheBoundNothingIsLost() throws Exception {
    for (int i = 0; i < 256; i++) {
      far.write(bytes(MEGABYTE / 256));
    }
    far.flush();
    arrived(far);
    channel.config().setAutoRead(true);
    reader.await(MEGABYTE);
    assertThat(stream.closed().toCompletableFuture()).isNotDone();
  }

  @Test
  void beyondTheBoundTheStreamIsResetAndSaysWhy() throws Exception {
    far.writeAndFlush(bytes(MEGABYTE + 1));

    stream.closed().toCompletableFuture().get(10, SECONDS);
    reader.await(INACTIVE);
    assertThat(reader.failure)
        .isInstanceOf(IOException.class)
        .hasMessageContaining(YamuxPair.ACCEPTOR.toString())
        .hasMessageContaining(PROTOCOL)
        .hasMessageContaining("limit 1,048,576");
    assertThat(reader.count).isZero();
    far.closeFuture().sync();
    assertThat(near.resetHere).isTrue();
  }

  @Test
  void aReaderThatKeepsUpHasNoBound() throws Exception {
    channel.config().setAutoRead(true);
    for (int i = 1; i <= 20; i++) {
      far.writeAndFlush(bytes(MEGABYTE)).sync();
      reader.await(i * MEGABYTE); // Or the far end, as fast as it is, could overflow.
    }
  }

  @Test
  @DisplayName("Close sends all that was written, also beyond the window")
  void closeSendsBeyondTheWindow() throws Exception {
    channel.writeAndFlush(bytes(3 * MEGABYTE));
    stream.close();

    farReader.await(END);
    assertThat(farReader.count).isEqualTo(3 * MEGABYTE);
    stream.closed().toCompletableFuture().get(10, SECONDS);
    far.disconnect();
    near.closeFuture().sync();
    assertThat(near.resetHere).isFalse();
  }

  @Test
  void whatComesAfterACloseIsDropped() throws Exception {
    channel.close().sync();
    far.writeAndFlush(bytes(3 * MEGABYTE)).sync();
    far.disconnect().sync();
    near.closeFuture().sync();
    assertThat(near.resetHere).isFalse();
    assertThat(reader.count).isZero();
  }

  @Test
  void theOutputEndsAloneAndTheInputGoesOn() throws Exception {
    channel.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
    channel.config().setAutoRead(true);
    channel.write(bytes(MEGABYTE));
    channel.shutdownOutput().sync();
    farReader.await(END);
    assertThat(farReader.count).isEqualTo(MEGABYTE);
    assertThat(near.isActive()).as("the channel below").isFalse();
    assertThat(channel.isActive()).isTrue();
    assertThat(channel.writeAndFlush(bytes(1)).await().cause()).isInstanceOf(IOException.class);

    far.writeAndFlush(bytes(7)).sync();
    reader.await(7);
    far.disconnect();
    reader.await(INACTIVE);
    assertThat(reader.failure).isNull();
    near.closeFuture().sync();
    assertThat(near.resetHere).isFalse();
  }

  @Test
  @DisplayName("The end of the output succeeds, though it ends the stream")
  void endOfTheOutputSucceeds() throws Exception {
    channel.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
    channel.config().setAutoRead(true);
    far.disconnect();
    reader.await(END);
    assertThat(channel.shutdownOutput().await().isSuccess()).isTrue();
    reader.await(INACTIVE);
    assertThat(reader.failure).isNull();
  }

  @Test
  @DisplayName("What waits outlives the channel below if both sides have ended")
  void waitingBytesOutliveTheChannelBelow() throws Exception {
    channel.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
    far.writeAndFlush(bytes(1000)).sync();
    channel.shutdownOutput().sync();
    far.disconnect();
    near.closeFuture().sync();

    channel.config().setAutoRead(true);
    reader.await(INACTIVE);
    assertThat(reader.count).isEqualTo(1000);
    assertThat(reader.failure).isNull();
  }

  @Test
  @DisplayName("A stream that nobody reads any more ends with the channel below")
  void unreadStreamEndsWithTheChannel() throws Exception {
    far.writeAndFlush(bytes(1000)).sync();
    channel.shutdown().sync();
    far.disconnect();
    near.closeFuture().sync();
    stream.closed().toCompletableFuture().get(10, SECONDS);
    assertThat(near.resetHere).isFalse();
    assertThat(reader.count).isZero();
  }

  @Test
  @DisplayName("What waits is dropped and the stream ends, though the channel below has")
  void droppedBytesEndTheStream() throws Exception {
    far.writeAndFlush(bytes(1000)).sync();
    channel.shutdownOutput().sync();
    far.disconnect();
    near.closeFuture().sync();
    assertThat(stream.closed().toCompletableFuture()).isNotDone();
    channel.shutdownInput().sync();
    stream.closed().toCompletableFuture().get(10, SECONDS);
  }

  @Test
  void aResetOfThePeerIsAFailureThatNamesThePeer() throws Exception {
    far.writeAndFlush(bytes(1000)).sync();
    far.close();
    reader.await(INACTIVE);
    assertThat(reader.failure)
        .isInstanceOf(IOException.class)
        .hasMessageContaining(YamuxPair.ACCEPTOR.toString())
        .hasMessageContaining("reset it");
  }

  @Test
  void resetDropsWhatIsOnItsWay() throws Exception {
    on(
        channel.eventLoop(), // In one turn, so that the far end gives no credit in between.
        () -> {
          channel.writeAndFlush(bytes(5 * MEGABYTE));
          stream.reset();
          return true;
        });
    far.closeFuture().sync();
    assertThat(farReader.count).isLessThan(5 * MEGABYTE);
    assertThat(farReader.events).doesNotContain(END);
    stream.closed().toCompletableFuture().get(10, SECONDS);
  }

  @Test
  void aStackThatRefusesAWriteResetsTheStream() throws Exception {
    ChannelFuture write = channel.writeAndFlush(bytes(MuxedChannel.SEND_LIMIT + 2 * MEGABYTE));
    reader.await(INACTIVE);
    assertThat(write.await().isDone()).isTrue();
    assertThat(reader.failure).hasMessageContaining("Overflowed send buffer");
    assertThat(channel.writeAndFlush(bytes(1)).await().isSuccess()).isFalse();
  }

  @Test
  void whatIsFlushedAtOnceIsGathered() throws Exception {
    on(
        channel.eventLoop(),
        () -> {
          for (int i = 0; i < 100; i++) {
            channel.write(bytes(100));
          }
          return channel.flush();
        });
    farReader.await(10_000);
    assertThat(on(near.eventLoop(), () -> near.frames)).isEqualTo(1);

    channel.write(bytes(9));
    ChannelFuture last = channel.writeAndFlush(bytes(MEGABYTE)).sync();
    farReader.await(10_009 + MEGABYTE);
    assertThat(last.isSuccess()).isTrue();
    assertThat(on(near.eventLoop(), () -> near.frames)).isEqualTo(3);
  }

  @Test
  void onlyOneStreamIsMadeOfAChannel() {
    assertThatThrownBy(() -> foreign(near).get())
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(YamuxPair.ACCEPTOR.toString());
  }

  @Test
  @DisplayName(
      "A channel of which another copy of the library has made a stream is refused as such")
  void channelTakenByAnotherCopy() {
    EmbeddedChannel taken = new EmbeddedChannel(true, new ChannelOutboundHandlerAdapter());
    Object theirs = new Object(); // Their class of the same name is another one than ours.
    taken.attr(AttributeKey.valueOf(ForeignStreamChannel.class, "ADAPTED")).set(theirs);
    assertThatThrownBy(() -> foreign(taken).get())
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(YamuxPair.ACCEPTOR.toString());
    taken.finishAndReleaseAll();
  }

  @Test
  void aStreamOfAChannelThatHasEndedEnds() throws Exception {
    EventLoop loop = group.next();
    MuxedChannel ended = MuxedChannel.create();
    on(loop, () -> register(loop, ended.peer(), () -> true));
    Stream late =
        on(
            loop,
            () ->
                register(
                    loop,
                    ended,
                    () -> {
                      ended.close();
                      return foreign(ended).get();
                    }));
    late.closed().toCompletableFuture().get(10, SECONDS);
  }

  @Test
  @DisplayName("A peer that does not end its half is cut some time after the close")
  void peerDoesNotEndItsHalf() {
    AtomicInteger disconnects = new AtomicInteger();
    ChannelOutboundHandlerAdapter counter =
        new ChannelOutboundHandlerAdapter() {
          @Override
          public void disconnect(ChannelHandlerContext ctx, ChannelPromise promise) {
            disconnects.incrementAndGet();
            promise.setSuccess();
          }
        };
    EmbeddedChannel below = new EmbeddedChannel(true, counter);
    Stream over = foreign(below).get();
    over.close();
    over.close();
    below.runPendingTasks();
    assertThat(disconnects).hasValue(1);
    assertThat(over.closed().toCompletableFuture()).isCompleted();
    assertThat(below.isOpen()).isTrue();

    below.advanceTimeBy(CloseTimeout.SECONDS, SECONDS);
    below.runScheduledPendingTasks();

    assertThat(below.isOpen()).isFalse();
    below.finishAndReleaseAll();
  }

  @Test
  @DisplayName("A peer that takes what is left slowly after the close gets all of it")
  void peerTakesTheRestSlowly() {
    Slow stack = new Slow();
    EmbeddedChannel below = closed(stack, 100_000);
    for (int i = 0; i < 5; i++) {
      pass(below, 9);
      stack.take(20_000);
      assertThat(below.isOpen()).isTrue();
    }
    assertThat(stack.waiting).isEmpty();

    pass(below, CloseTimeout.SECONDS);
    pass(below, CloseTimeout.SECONDS);
    assertThat(below.isOpen()).as("of a peer that has it all and does not end its half").isFalse();
    below.finishAndReleaseAll();
  }

  @Test
  @DisplayName("A peer that takes next to nothing after the close is cut")
  void peerTakesNextToNothing() {
    Slow stack = new Slow();
    EmbeddedChannel below = closed(stack, 100_000);
    pass(below, 9);
    stack.take(CloseTimeout.MIN_PROGRESS - 1);
    assertThat(below.isOpen()).isTrue();
    pass(below, 1);
    assertThat(below.isOpen()).isFalse();
    below.finishAndReleaseAll();
  }

  private static EmbeddedChannel closed(Slow stack, int bytes) {
    EmbeddedChannel below = new EmbeddedChannel(true, stack);
    below.freezeTime();
    Stream over = foreign(below).get();
    over.channel().writeAndFlush(bytes(bytes));
    over.close();
    below.runPendingTasks();
    assertThat(over.closed().toCompletableFuture()).isCompleted();
    assertThat(stack.waiting).isNotEmpty();
    return below;
  }

  private static void pass(EmbeddedChannel channel, long seconds) {
    channel.advanceTimeBy(seconds, SECONDS);
    channel.runScheduledPendingTasks();
  }

  /** Takes all writes at once, as jvm-libp2p does, and sends as a test says. */
  private static final class Slow extends ChannelOutboundHandlerAdapter {
    final Deque<ByteBuf> waiting = new ArrayDeque<>();

    @Override
    public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
      waiting.add((ByteBuf) message);
      promise.setSuccess();
    }

    @Override
    public void disconnect(ChannelHandlerContext ctx, ChannelPromise promise) {
      promise.setSuccess();
    }

    @Override
    public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
      waiting.forEach(ByteBuf::release);
      waiting.clear();
      ctx.close(promise);
    }

    void take(int bytes) {
      waiting.element().readRetainedSlice(bytes).release();
      while (!waiting.isEmpty() && !waiting.element().isReadable()) {
        waiting.remove().release();
      }
    }
  }

  @Test
  @DisplayName("Once the event loop has ended, nothing throws, and what is asked for fails")
  void streamOnAnEndedEventLoop() throws Exception {
    MultiThreadIoEventLoopGroup ending =
        new MultiThreadIoEventLoopGroup(1, LocalIoHandler.newFactory());
    EventLoop loop = ending.next();
    MuxedChannel below = MuxedChannel.create();
    Stream over = on(loop, () -> register(loop, below, foreign(below)));
    DuplexChannel late = (DuplexChannel) over.channel();
    late.config().setAutoRead(true);
    ending.shutdownGracefully(0, 5, SECONDS).sync();

    assertThat(late.read()).isSameAs(late);
    late.config().setAutoRead(false);
    for (ChannelFuture ask :
        List.of(late.shutdownInput(), late.shutdownOutput(), late.shutdown())) {
      assertThat(ask.await().cause())
          .isInstanceOf(ClosedChannelException.class)
          .hasCauseInstanceOf(RejectedExecutionException.class);
    }
    over.close();
    over.reset();
  }

  @Test
  void aResetCutsAClose() {
    EmbeddedChannel below =
        new EmbeddedChannel(
            true,
            new ChannelOutboundHandlerAdapter() {
              @Override
              public void disconnect(ChannelHandlerContext ctx, ChannelPromise promise) {
                promise.setSuccess();
              }
            });
    Stream over = foreign(below).get();
    over.close();
    below.runPendingTasks();
    over.reset();
    below.runPendingTasks();
    assertThat(below.isOpen()).isFalse();
    assertThat(below.runScheduledPendingTasks()).isEqualTo(-1);
    below.finishAndReleaseAll();
  }

  /** Notes what comes, and lets others wait for it. */
  private static final class Reader extends ChannelInboundHandlerAdapter {
    final BlockingQueue<String> events = new LinkedBlockingQueue<>();
    volatile int count;
    volatile String bytes = "";
    volatile Throwable failure;

    void await(String event) throws Exception {
      String next;
      do {
        next = events.poll(10, SECONDS);
        assertThat(next).as("instead of: " + event).isNotNull();
      } while (!next.equals(event));
    }

    void await(int bytes) throws Exception {
      while (count < bytes) {
        assertThat(events.poll(10, SECONDS)).as("after " + count + " bytes").isNotNull();
      }
      assertThat(count).isEqualTo(bytes);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      ByteBuf buffer = (ByteBuf) message;
      if (buffer.readableBytes() <= 100) {
        bytes += ByteBufUtil.hexDump(buffer);
      }
      count += buffer.readableBytes();
      buffer.release();
      events.add("bytes");
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
      if (event == ChannelInputShutdownEvent.INSTANCE || event == RemoteWriteClosed.INSTANCE) {
        events.add(END);
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      failure = cause;
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
      events.add(INACTIVE);
    }
  }
}
