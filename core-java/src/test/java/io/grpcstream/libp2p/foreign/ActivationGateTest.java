package io.grpcstream.libp2p.foreign;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.YamuxPair;
import io.grpcstream.testing.MuxedChannel;
import io.libp2p.multistream.Negotiator;
import io.libp2p.multistream.ProtocolSelect;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.local.LocalIoHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * {@link Stream#over} of a channel whose negotiation may still be in its pipeline. Where it says
 * {@code foreign}, that is once a channel that tells disconnect from close, as jvm-libp2p's of
 * yamux do, and once one that does not, as those of QUIC.
 */
@Timeout(60)
class ActivationGateTest {
  private static final String PROTOCOL = "/test/1.0.0";

  private final Notes notes = new Notes();
  private EmbeddedChannel below;
  private Stream stream;

  @AfterEach
  void close() {
    if (below != null) {
      below.finishAndReleaseAll();
    }
  }

  private static Stream over(Channel channel) {
    return Stream.over(
        channel, YamuxPair.DIALLER, YamuxPair.ACCEPTOR, YamuxPair.ACCEPTOR_ADDRESS, PROTOCOL, true);
  }

  /** A channel that has proposed its protocol, and makes a stream once that is agreed to. */
  private void negotiate(boolean foreign, Consumer<Channel> initializer) {
    below = new EmbeddedChannel(foreign, negotiation(initializer));
    below.releaseOutbound();
  }

  private static ChannelInitializer<Channel> negotiation(Consumer<Channel> initializer) {
    return new ChannelInitializer<>() {
      @Override
      protected void initChannel(Channel channel) {
        Negotiator.install(
            channel.pipeline(), PROTOCOL, true, new ProtocolSelect<>(c -> made(initializer, c)));
      }
    };
  }

  private static CompletableFuture<Boolean> made(Consumer<Channel> initializer, Channel channel) {
    initializer.accept(channel);
    return CompletableFuture.completedFuture(true);
  }

  private void makeStream(Channel channel) {
    stream = over(channel);
    stream.channel().pipeline().addLast(notes);
  }

  private void agree(int... moreBytes) {
    ByteBuf messages = Unpooled.buffer();
    for (String text : List.of("/multistream/1.0.0\n", PROTOCOL + "\n")) {
      messages.writeByte(text.length()).writeCharSequence(text, UTF_8);
    }
    for (int more : moreBytes) {
      messages.writeByte(more);
    }
    below.writeInbound(messages);
  }

  private ChannelFuture write(int number) {
    return stream.channel().writeAndFlush(Unpooled.copyInt(number));
  }

  /** All that went out so far. */
  private String sent() {
    StringBuilder hex = new StringBuilder();
    for (ByteBuf next = below.readOutbound(); next != null; next = below.readOutbound()) {
      hex.append(ByteBufUtil.hexDump(next));
      next.release();
    }
    return hex.toString();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @DisplayName("What is written while the negotiation is in the pipeline goes out as it is")
  void writesDuringNegotiationGoOutAsIs(boolean foreign) {
    List<ChannelFuture> writes = new ArrayList<>();
    negotiate(
        foreign,
        channel -> {
          makeStream(channel);
          writes.add(write(1));
          writes.add(write(2));
          assertThat(below.outboundMessages()).isEmpty();
        });
    agree();
    below.runPendingTasks();
    assertThat(sent()).isEqualTo("0000000100000002");
    assertThat(writes).allMatch(ChannelFuture::isSuccess);
    write(3);
    below.runPendingTasks();
    assertThat(sent()).isEqualTo("00000003");
    assertThat(below.pipeline().get(ActivationGate.class)).isNull();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @DisplayName("A stream made before its negotiation has ended waits for that")
  void streamWaitsForItsNegotiation(boolean foreign) {
    negotiate(foreign, channel -> {});
    makeStream(below);
    write(1);
    below.runPendingTasks();
    assertThat(below.outboundMessages()).isEmpty();
    agree();
    below.runPendingTasks();
    assertThat(sent()).isEqualTo("00000001");
  }

  @Test
  @DisplayName("Nothing is held if the channel is active and has no handlers")
  void activeChannelWithoutHandlers() {
    below = new EmbeddedChannel();
    stream = over(below);
    assertThat(below.pipeline().firstContext()).isNull();
    write(1);
    assertThat(sent()).isEqualTo("00000001");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @DisplayName("An activation that has passed is not waited for longer than the turn of the loop")
  void activationThatHasPassed(boolean foreign) {
    below = new EmbeddedChannel(foreign, new ChannelDuplexHandler());
    makeStream(below);
    write(1);
    below.runPendingTasks();
    assertThat(sent()).isEqualTo("00000001");
    assertThat(below.pipeline().get(ActivationGate.class)).isNull();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @DisplayName("A stream may be made in a handler's channelActive that ends there")
  void streamMadeInChannelActive(boolean foreign) {
    negotiate(
        foreign,
        channel ->
            channel
                .pipeline()
                .addLast(
                    new ChannelInboundHandlerAdapter() {
                      @Override
                      public void channelActive(ChannelHandlerContext ctx) {
                        makeStream(ctx.channel());
                        write(1);
                      }
                    }));
    agree();
    below.runPendingTasks();
    assertThat(sent()).isEqualTo("00000001");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aChannelThatIsNeverActivatedFailsAndSaysSo(boolean foreign) {
    negotiate(foreign, channel -> {});
    makeStream(below);
    ChannelFuture write = write(1);
    below.runPendingTasks();
    below.advanceTimeBy(ActivationGate.SECONDS, SECONDS);
    below.runScheduledPendingTasks();

    assertThat(notes.failure)
        .isInstanceOf(IOException.class)
        .hasMessageContaining(YamuxPair.ACCEPTOR.toString())
        .hasMessageContaining(PROTOCOL)
        .hasMessageContaining("not activated its channel within 30 seconds");
    assertThat(below.isOpen()).isFalse();
    assertThat(stream.closed().toCompletableFuture()).isCompleted();
    assertThat(foreign || write.cause() != null).isTrue(); // In front, it was taken over before.
    assertThat(below.outboundMessages()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void closeSendsWhatIsHeldFirst(boolean foreign) {
    negotiate(
        foreign,
        channel -> {
          makeStream(channel);
          write(1);
          stream.close();
        });
    agree();
    below.runPendingTasks();
    assertThat(sent()).isEqualTo("00000001");
    assertThat(stream.closed().toCompletableFuture()).isCompleted();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void resetDropsWhatIsHeld(boolean foreign) {
    negotiate(foreign, channel -> {});
    makeStream(below);
    ByteBuf bytes = Unpooled.copyInt(1);
    ChannelFuture write = stream.channel().writeAndFlush(bytes);
    stream.reset();
    below.runPendingTasks();
    assertThat(below.isOpen()).isFalse();
    assertThat(write.isDone()).isTrue();
    assertThat(bytes.refCnt()).isZero();
    assertThat(below.outboundMessages()).isEmpty();
  }

  @Test
  void aChannelThatEndsFailsWhatIsHeld() {
    negotiate(false, channel -> {});
    makeStream(below);
    ByteBuf bytes = Unpooled.copyInt(1);
    ChannelFuture write = stream.channel().writeAndFlush(bytes);
    below.close();
    assertThat(write.cause()).isInstanceOf(ClosedChannelException.class);
    assertThat(bytes.refCnt()).isZero();
    assertThat(below.runScheduledPendingTasks()).as("timers left").isEqualTo(-1);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatIsHeldMakesTheChannelUnwritable(boolean foreign) {
    negotiate(foreign, channel -> {});
    makeStream(below);
    for (int i = 0; i < 4; i++) {
      stream.channel().writeAndFlush(Unpooled.buffer().writeZero(50_000));
    }
    below.runPendingTasks();
    assertThat(stream.channel().isWritable()).isFalse();
    agree();
    below.runPendingTasks();
    assertThat(stream.channel().isWritable()).isTrue();
    assertThat(sent()).hasSize(2 * 200_000);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @DisplayName("Bytes that come with the end of the negotiation are delivered")
  void bytesWithTheEndOfTheNegotiation(boolean foreign) {
    negotiate(
        foreign,
        channel -> {
          makeStream(channel);
          stream.channel().config().setAutoRead(true);
        });
    agree(1, 2, 3);
    below.runPendingTasks();
    // One in front of another has been active, for its pipeline, from the start.
    assertThat(notes.events).startsWith(foreign ? "010203" : "active").contains("010203");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @DisplayName("Bytes that come with the end of the negotiation wait if reading is off")
  void bytesWaitIfReadingIsOff(boolean foreign) {
    negotiate(
        foreign,
        channel -> {
          stream = over(channel);
          stream.channel().config().setAutoRead(false);
        });
    agree(1, 2, 3);
    below.runPendingTasks();
    stream.channel().pipeline().addLast(notes);
    assertThat(notes.events).isEmpty();
    stream.channel().config().setAutoRead(true);
    below.runPendingTasks();
    assertThat(notes.events).contains("010203");
  }

  @Test
  void aChannelThatIsStillToConnectHoldsUntilItHas() throws Exception {
    MultiThreadIoEventLoopGroup group =
        new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
    try {
      Notes arrivals = new Notes();
      Channel server =
          new ServerBootstrap()
              .group(group)
              .channel(NioServerSocketChannel.class)
              .childHandler(arrivals)
              .bind(InetAddress.getLoopbackAddress(), 0)
              .sync()
              .channel();
      NioSocketChannel channel = new NioSocketChannel();
      EventLoop loop = group.next();
      loop.register(channel).sync();
      Stream early = over(channel);
      ChannelFuture write = early.channel().writeAndFlush(Unpooled.copyInt(1));
      early.close();
      channel.eventLoop().submit(() -> true).sync(); // All that was asked for has been begun.
      assertThat(write.isDone()).isFalse();

      channel.connect(server.localAddress()).sync();

      assertThat(arrivals.nextBytes()).isEqualTo("00000001");
      early.closed().toCompletableFuture().get(10, SECONDS);
      server.close().sync();
    } finally {
      group.shutdownGracefully(0, 5, SECONDS).syncUninterruptibly();
    }
  }

  @Test
  @DisplayName("What another thread's handlers write at once is held too")
  void writesOfAnotherThreadsHandlers() throws Exception {
    MultiThreadIoEventLoopGroup group =
        new MultiThreadIoEventLoopGroup(2, LocalIoHandler.newFactory());
    try {
      MuxedChannel near = MuxedChannel.create();
      near.pipeline().addLast(negotiation(channel -> {}));
      EventLoop loop = group.next();
      loop.register(near).sync();
      CountDownLatch busy = new CountDownLatch(1);
      loop.execute(() -> await(busy)); // So that all that follows is done in one go.
      Channel channel = over(near).channel();
      assertThat(channel.isActive()).isTrue();
      channel.pipeline().addLast(new Greeting());
      busy.countDown();
      loop.submit(() -> true).sync();

      Notes arrivals = new Notes();
      MuxedChannel far = near.peer();
      ProtocolSelect<Boolean> select =
          new ProtocolSelect<>(c -> made(x -> x.pipeline().addLast(arrivals), c));
      Negotiator.install(far.pipeline(), PROTOCOL, false, select);
      EventLoop farLoop = group.next();
      farLoop.register(far).sync();

      assertThat(arrivals.nextBytes()).isEqualTo("00000007");
      near.close().sync();
      far.closeFuture().sync();
    } finally {
      group.shutdownGracefully(0, 5, SECONDS).syncUninterruptibly();
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static final class Greeting extends ChannelInboundHandlerAdapter {
    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
      ctx.writeAndFlush(Unpooled.copyInt(7));
    }
  }

  /** Notes what comes. */
  private static final class Notes extends ChannelInboundHandlerAdapter {
    final BlockingQueue<String> events = new LinkedBlockingQueue<>();
    volatile Throwable failure;

    String nextBytes() throws InterruptedException {
      String next;
      do {
        next = events.poll(10, SECONDS);
      } while ("active".equals(next) || "read complete".equals(next));
      return next;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
      events.add("active");
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      ByteBuf bytes = (ByteBuf) message;
      events.add(ByteBufUtil.hexDump(bytes));
      bytes.release();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
      events.add("read complete");
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      failure = cause;
    }
  }
}
