package io.grpcstream.libp2p.foreign;

import static java.util.concurrent.TimeUnit.NANOSECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.YamuxPair;
import io.grpcstream.libp2p.mux.yamux.StreamResetException;
import io.grpcstream.libp2p.transport.tcp.TcpTransport;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.DuplexChannel;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.HexFormat;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ChannelStreamTest {
  private static final String PROTOCOL = "/test/1.0.0";

  @Test
  @DisplayName("Close sends what was written over yamux past the window")
  void closeSendsPastTheYamuxWindow() throws Exception {
    Sink sink = new Sink();
    try (YamuxPair pair = new YamuxPair(PROTOCOL, s -> s.channel().pipeline().addLast(sink))) {
      Stream stream = pair.open();
      stream.channel().write(Unpooled.wrappedBuffer(new byte[1 << 20]));
      stream.close();
      assertThat(sink.ended.get(10, SECONDS)).isEqualTo(1 << 20);
      stream.closed().toCompletableFuture().get(10, SECONDS);
      assertThat(sink.failure).isNull();
    }
  }

  @Test
  @DisplayName("Close after the user's own end of output still sends all")
  void closeAfterTheUsersEndOfOutput() throws Exception {
    Sink sink = new Sink();
    try (YamuxPair pair = new YamuxPair(PROTOCOL, s -> s.channel().pipeline().addLast(sink))) {
      Stream stream = pair.open();
      stream.channel().writeAndFlush(Unpooled.wrappedBuffer(new byte[1 << 20]));
      ((DuplexChannel) stream.channel()).shutdownOutput();
      stream.close();
      assertThat(sink.ended.get(10, SECONDS)).isEqualTo(1 << 20);
      assertThat(sink.failure).isNull();
    }
  }

  @Test
  @DisplayName("A peer of another stack that reads nothing cannot keep a stream that closes")
  void otherStackReadsNothingAfterClose() {
    Reluctant channel = new Reluctant();
    Stream stream = foreign(channel);
    channel.write(Unpooled.wrappedBuffer(new byte[100_000]));
    stream.close();
    channel.pass(Duration.ofMillis(9_999));
    assertThat(channel.isOpen()).isTrue();
    channel.pass(Duration.ofMillis(1));
    assertThat(stream.closed().toCompletableFuture()).isCompleted();
    channel.finishAndReleaseAll();
  }

  @Test
  @DisplayName(
      "A peer of another stack that reads slowly gets all that was written before the close")
  void otherStackReadsSlowlyAfterClose() {
    Reluctant channel = new Reluctant();
    Stream stream = foreign(channel);
    channel.write(Unpooled.wrappedBuffer(new byte[100_000]));
    stream.close();
    for (int left = 100_000; left > 0; left -= 20_000) {
      assertThat(channel.isOpen()).isTrue();
      channel.pass(Duration.ofSeconds(9));
      channel.take(20_000);
    }
    assertThat(channel.taken).isEqualTo(100_000);
    assertThat(stream.closed().toCompletableFuture()).isCompleted();
    channel.finishAndReleaseAll();
  }

  /** A channel whose other side takes what a test says. */
  private static final class Reluctant extends EmbeddedChannel {
    private int willing;
    private int taken;

    Reluctant() {
      freezeTime();
    }

    @Override
    protected void doWrite(ChannelOutboundBuffer out) {
      while (out.current() instanceof ByteBuf next && (willing > 0 || !next.isReadable())) {
        int bytes = Math.min(willing, next.readableBytes());
        willing -= bytes;
        taken += bytes;
        out.removeBytes(bytes);
      }
    }

    void take(int bytes) {
      willing = bytes;
      flush();
      runPendingTasks();
    }

    void pass(Duration time) {
      advanceTimeBy(time.toNanos(), NANOSECONDS);
      runScheduledPendingTasks();
      runPendingTasks();
    }
  }

  @Test
  void resetOverYamuxIsSeenAsAReset() throws Exception {
    Sink sink = new Sink();
    try (YamuxPair pair = new YamuxPair(PROTOCOL, s -> s.channel().pipeline().addLast(sink))) {
      Stream stream = pair.open();
      stream.channel().writeAndFlush(Unpooled.copyLong(1)).sync();
      stream.reset();
      sink.ended.get(10, SECONDS);
      assertThat(sink.failure).isInstanceOf(StreamResetException.class);
      stream.closed().toCompletableFuture().get(10, SECONDS);
    }
  }

  @Test
  void closeSendsWhatWasWrittenOverASocket() throws Exception {
    try (SocketPair pair = new SocketPair()) {
      pair.client.write(Unpooled.wrappedBuffer(new byte[3 << 20]));
      pair.stream.close();
      assertThat(pair.sink.ended.get(10, SECONDS)).isEqualTo(3 << 20);
      assertThat(pair.sink.failure).isNull();
    }
  }

  @Test
  void resetOverASocketIsSeenAsAReset() throws Exception {
    try (SocketPair pair = new SocketPair()) {
      pair.stream.reset();
      pair.sink.ended.get(10, SECONDS);
      assertThat(pair.sink.failure).isInstanceOf(IOException.class);
    }
  }

  @Test
  void closePassesHandlersThatTakeNoBytes() {
    EmbeddedChannel channel = new EmbeddedChannel();
    channel.pipeline().addLast(new ChannelInboundHandlerAdapter());
    channel
        .pipeline()
        .addLast(
            new ChannelOutboundHandlerAdapter() {
              @Override
              public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
                throw new AssertionError("not for " + message);
              }
            });
    Stream stream = foreign(channel);
    stream.close();
    channel.runPendingTasks();
    assertThat(channel.isOpen()).isFalse();
    assertThat(stream.closed().toCompletableFuture()).isCompleted();
    assertThat(channel.<ByteBuf>readOutbound().isReadable()).isFalse();
    channel.checkException();
  }

  @Test
  void closedTellsTheEndAndIsNotTheUsersToComplete() {
    EmbeddedChannel channel = new EmbeddedChannel();
    Stream stream = foreign(channel);
    stream.closed().toCompletableFuture().complete(null);
    assertThat(stream.closed().toCompletableFuture()).isNotDone();
    channel.close();
    assertThat(stream.closed().toCompletableFuture()).isCompleted();
    stream.close();
    stream.reset();
    channel.finishAndReleaseAll();
  }

  @Test
  void aForeignStreamKnowsWhatItWasToldAndItsOwnEnd() throws Exception {
    EmbeddedChannel channel = new EmbeddedChannel();
    Stream embedded = foreign(channel);
    assertThat(embedded.localPeer()).isEqualTo(YamuxPair.DIALLER);
    assertThat(embedded.remotePeer()).isEqualTo(YamuxPair.ACCEPTOR);
    assertThat(embedded.remoteAddress()).isEqualTo(YamuxPair.ACCEPTOR_ADDRESS);
    assertThat(embedded.protocol()).isEqualTo(PROTOCOL);
    assertThat(embedded.isInitiator()).isTrue();
    assertThat(embedded.channel()).isSameAs(channel);
    assertThat(embedded.localAddress()).hasToString("/p2p/" + YamuxPair.DIALLER);
    assertThat(embedded.toString())
        .contains(PROTOCOL, "to " + YamuxPair.ACCEPTOR, "/ip4/192.0.2.2/tcp/4001");
    channel.finishAndReleaseAll();

    byte[] linkLocal = HexFormat.of().parseHex("fe800000000000000000000000000001");
    assertThat(localAddressOf(InetAddress.getByAddress(new byte[] {127, 0, 0, 1})))
        .isEqualTo("/ip4/127.0.0.1/tcp/7");
    assertThat(localAddressOf(Inet6Address.getByAddress(null, linkLocal, 1)))
        .isEqualTo("/ip6/fe80::1/tcp/7");
  }

  private static String localAddressOf(InetAddress ip) {
    EmbeddedChannel channel =
        new EmbeddedChannel() {
          @Override
          protected SocketAddress localAddress0() {
            return new InetSocketAddress(ip, 7);
          }
        };
    try {
      return foreign(channel).localAddress().toString();
    } finally {
      channel.finishAndReleaseAll();
    }
  }

  private static Stream foreign(Channel channel) {
    return Stream.over(
        channel, YamuxPair.DIALLER, YamuxPair.ACCEPTOR, YamuxPair.ACCEPTOR_ADDRESS, PROTOCOL, true);
  }

  /** Counts bytes until the end. */
  private static final class Sink extends ChannelInboundHandlerAdapter {
    final CompletableFuture<Integer> ended = new CompletableFuture<>();
    volatile Throwable failure;
    private int bytes;

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      bytes += ((ByteBuf) message).readableBytes();
      ((ByteBuf) message).release();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      failure = cause;
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
      ended.complete(bytes);
    }
  }

  /** A foreign stream over TCP. */
  private static final class SocketPair implements AutoCloseable {
    final MultiThreadIoEventLoopGroup group =
        new MultiThreadIoEventLoopGroup(2, TcpTransport.ioHandlerFactory());
    final Sink sink = new Sink();
    final Channel client;
    final Stream stream;

    SocketPair() throws Exception {
      TcpTransport transport = new TcpTransport();
      CompletableFuture<Channel> accepted = new CompletableFuture<>();
      Channel listener =
          transport
              .listen(
                  group,
                  new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                  new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                      channel.pipeline().addLast(sink);
                      accepted.complete(channel);
                    }
                  })
              .sync()
              .channel();
      client =
          transport
              .dial(
                  group.next(),
                  listener.localAddress(),
                  new ChannelInboundHandlerAdapter(),
                  Duration.ofSeconds(10))
              .sync()
              .channel();
      accepted.get(10, SECONDS);
      stream = foreign(client);
    }

    @Override
    public void close() {
      group.shutdownGracefully(0, 5, SECONDS).awaitUninterruptibly();
    }
  }
}
