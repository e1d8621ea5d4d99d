package io.grpcstream.libp2p.transport;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import java.io.IOException;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.zip.CRC32;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What every transport must do. */
@Timeout(30)
public abstract class TransportContract {
  protected static final Duration DIAL_TIMEOUT = Duration.ofSeconds(10);

  protected final MultiThreadIoEventLoopGroup group =
      new MultiThreadIoEventLoopGroup(2, ioHandlerFactory());
  protected final Transport transport = transport();

  /** The accepted ends, in order. */
  protected final BlockingQueue<Channel> accepted = new LinkedBlockingQueue<>();

  protected abstract Transport transport();

  protected abstract IoHandlerFactory ioHandlerFactory();

  /** An address that leaves the choice to the transport. */
  protected abstract SocketAddress anyAddress();

  /** An address that nobody listens at. */
  protected abstract SocketAddress unusedAddress() throws IOException;

  /** An address of another transport. */
  protected abstract SocketAddress foreignAddress();

  @AfterEach
  void shutDown() throws Exception {
    group.shutdownGracefully(0, 5, SECONDS).await();
  }

  @Test
  void bytesArriveCompleteAndInOrderBothWays() throws Exception {
    Digest atServer = new Digest(4 << 20);
    Digest atClient = new Digest(3 << 20);
    SocketAddress address = listen(atServer).channel().localAddress();
    Channel client = dial(address, atClient).sync().channel();
    Channel server = accepted.take();

    long sentToServer = send(client, 4 << 20, 1);
    long sentToClient = send(server, 3 << 20, 2);

    assertThat(atServer.crc.get(20, SECONDS)).isEqualTo(sentToServer);
    assertThat(atClient.crc.get(20, SECONDS)).isEqualTo(sentToClient);
  }

  @Test
  void theInitializersMissNoEventAndNoByte() throws Exception {
    BlockingQueue<String> events = new LinkedBlockingQueue<>();
    ChannelHandler greeter =
        new ChannelInitializer<Channel>() {
          @Override
          protected void initChannel(Channel channel) {
            channel.pipeline().addLast(new Greeter());
          }
        };
    SocketAddress address = listen(greeter).channel().localAddress();
    dial(
            address,
            new ChannelInboundHandlerAdapter() {
              @Override
              public void channelActive(ChannelHandlerContext ctx) {
                events.add("active");
                ctx.fireChannelActive();
              }

              @Override
              public void channelRead(ChannelHandlerContext ctx, Object message) {
                events.add("read");
                ((ByteBuf) message).release();
              }
            })
        .sync();
    assertThat(events.take()).isEqualTo("active");
    assertThat(events.take()).isEqualTo("read");
  }

  @Test
  void bothEndsKnowTheirAddresses() throws Exception {
    SocketAddress address = listen(new Ignore()).channel().localAddress();
    Channel client = dial(address, new Ignore()).sync().channel();
    Channel server = accepted.take();
    assertThat(client.remoteAddress()).isEqualTo(address);
    assertThat(server.localAddress()).isEqualTo(address);
    assertThat(server.remoteAddress()).isEqualTo(client.localAddress()).isNotEqualTo(address);
  }

  @Test
  @DisplayName("A reader that stops makes the writer unwritable, and nothing is lost")
  void stoppedReaderStopsTheWriter() throws Exception {
    Digest atServer = new Digest(Long.MAX_VALUE);
    SocketAddress address = listen(atServer).channel().localAddress();
    Channel client = dial(address, new Ignore()).sync().channel();
    Channel server = accepted.take();
    server.config().setAutoRead(false);

    CRC32 sent = new CRC32();
    long written = 0;
    CountDownLatch writable = new CountDownLatch(1);
    client.pipeline().addLast(new WritableAgain(writable));
    byte[] chunk = new byte[16 << 10];
    Random random = new Random(3);
    // Sockets may buffer megabytes on their own; more than this would be no back-pressure.
    while (written < 64 << 20) {
      random.nextBytes(chunk);
      sent.update(chunk);
      written += chunk.length;
      client.writeAndFlush(Unpooled.copiedBuffer(chunk));
      client.eventLoop().submit(() -> {}).sync();
      if (!client.isWritable()) {
        break;
      }
    }
    assertThat(client.isWritable()).as("after %d bytes", written).isFalse();

    atServer.expect(written);
    server.config().setAutoRead(true);
    assertThat(atServer.crc.get(20, SECONDS)).isEqualTo(sent.getValue());
    writable.await();
  }

  @Test
  void whatWasSentBeforeACloseArrivesBeforeTheEnd() throws Exception {
    Digest atServer = new Digest(200_000);
    SocketAddress address = listen(atServer).channel().localAddress();
    Channel client = dial(address, new Ignore()).sync().channel();
    Channel server = accepted.take();
    server.config().setAutoRead(false);
    long sent = send(client, 200_000, 4);
    client.close().sync();

    server.config().setAutoRead(true);

    assertThat(atServer.crc.get(20, SECONDS)).isEqualTo(sent);
    server.closeFuture().sync();
  }

  @Test
  void manySmallWritesBeforeACloseArrive() throws Exception {
    Digest atServer = new Digest(5_000);
    SocketAddress address = listen(atServer).channel().localAddress();
    Channel client = dial(address, new Ignore()).sync().channel();
    CRC32 sent = new CRC32();
    for (int i = 0; i < 5_000; i++) {
      sent.update(i);
      client.write(Unpooled.buffer(1).writeByte(i));
    }
    client.writeAndFlush(Unpooled.EMPTY_BUFFER).sync();
    client.close();
    assertThat(atServer.crc.get(20, SECONDS)).isEqualTo(sent.getValue());
  }

  @Test
  void aCloseEndsTheOtherSideToo() throws Exception {
    SocketAddress address = listen(new Ignore()).channel().localAddress();
    Channel client = dial(address, new Ignore()).sync().channel();
    Channel server = accepted.take();
    server.close();
    client.closeFuture().sync();
    assertThat(client.isActive()).isFalse();
    assertThatThrownBy(() -> client.writeAndFlush(Unpooled.copyLong(1)).sync())
        .isInstanceOf(IOException.class);
  }

  @Test
  void noOneListeningIsARefusalThatNamesTheAddress() throws Exception {
    SocketAddress address = unusedAddress();
    assertThatThrownBy(() -> dial(address, new Ignore()).sync())
        .isInstanceOf(IOException.class)
        .hasMessageContaining(lastPart(address));
  }

  @Test
  void aTakenAddressIsAFailureToListen() throws Exception {
    SocketAddress address = listen(new Ignore()).channel().localAddress();
    assertThatThrownBy(() -> transport.listen(group, address, new Ignore()).sync())
        .isInstanceOf(IOException.class);
  }

  @Test
  void closingAListenerLeavesItsConnectionsAlone() throws Exception {
    Digest atServer = new Digest(100);
    ChannelFuture listener = listen(atServer);
    Channel client = dial(listener.channel().localAddress(), new Ignore()).sync().channel();
    accepted.take();
    listener.channel().close().sync();
    long sent = send(client, 100, 5);
    assertThat(atServer.crc.get(20, SECONDS)).isEqualTo(sent);
  }

  @Test
  void theInitialWaterMarkIsTheTransports() throws Exception {
    SocketAddress address = listen(new Ignore()).channel().localAddress();
    Channel client = dial(address, new Ignore()).sync().channel();
    Channel server = accepted.take();
    for (Channel channel : new Channel[] {client, server}) {
      assertThat(channel.config().getOption(ChannelOption.WRITE_BUFFER_WATER_MARK))
          .isEqualTo(Transport.WATER_MARK);
    }
  }

  @Test
  void addressesOfOtherTransportsAreRefused() {
    assertThat(transport.handles(anyAddress())).isTrue();
    assertThat(transport.handles(foreignAddress())).isFalse();
    assertThatThrownBy(() -> dial(foreignAddress(), new Ignore()))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> transport.listen(group, foreignAddress(), new Ignore()))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void theChannelRunsOnTheGivenLoop() throws Exception {
    SocketAddress address = listen(new Ignore()).channel().localAddress();
    var loop = group.next();
    Channel client = transport.dial(loop, address, new Ignore(), DIAL_TIMEOUT).sync().channel();
    assertThat(client.eventLoop()).isSameAs(loop);
  }

  protected final ChannelFuture listen(ChannelHandler handler) throws Exception {
    ChannelHandler initializer =
        new ChannelInitializer<Channel>() {
          @Override
          protected void initChannel(Channel channel) {
            channel.pipeline().addLast(handler);
            accepted.add(channel);
          }
        };
    return transport.listen(group, anyAddress(), initializer).sync();
  }

  protected final ChannelFuture dial(SocketAddress address, ChannelHandler handler) {
    return transport.dial(group.next(), address, handler, DIAL_TIMEOUT);
  }

  /** Sends random bytes in pieces of random sizes, and returns their checksum. */
  protected static long send(Channel channel, int size, int seed) throws Exception {
    Random random = new Random(seed);
    CRC32 crc = new CRC32();
    for (int rest = size; rest > 0; ) {
      byte[] piece = new byte[Math.min(rest, 1 + random.nextInt(100_000))];
      random.nextBytes(piece);
      crc.update(piece);
      channel.writeAndFlush(Unpooled.wrappedBuffer(piece));
      rest -= piece.length;
    }
    return crc.getValue();
  }

  private static String lastPart(SocketAddress address) {
    String text = address.toString();
    return text.substring(text.lastIndexOf(':') + 1);
  }

  /** Ignores what arrives. */
  @ChannelHandler.Sharable
  protected static class Ignore extends ChannelInboundHandlerAdapter {
    /** A handler that may be shared. */
    public Ignore() {}

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      ((ByteBuf) message).release();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      ctx.close(); // As when a socket is reset.
    }
  }

  private static final class Greeter extends Ignore {
    @Override
    public void channelActive(ChannelHandlerContext ctx) {
      ctx.writeAndFlush(Unpooled.copyLong(42));
    }
  }

  private static final class WritableAgain extends ChannelInboundHandlerAdapter {
    private final CountDownLatch latch;

    WritableAgain(CountDownLatch latch) {
      this.latch = latch;
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
      if (ctx.channel().isWritable()) {
        latch.countDown();
      }
    }
  }

  /** The checksum of the first so many bytes that arrive. */
  @ChannelHandler.Sharable
  protected static final class Digest extends ChannelInboundHandlerAdapter {
    public final CompletableFuture<Long> crc = new CompletableFuture<>();
    private final CRC32 sum = new CRC32();
    private final AtomicLong expected;
    private final AtomicLong arrived = new AtomicLong();

    public Digest(long expected) {
      this.expected = new AtomicLong(expected);
    }

    void expect(long bytes) {
      expected.set(bytes);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      ByteBuf buffer = (ByteBuf) message;
      sum.update(buffer.nioBuffer());
      long total = arrived.addAndGet(buffer.readableBytes());
      buffer.release();
      if (total == expected.get()) {
        crc.complete(sum.getValue());
      } else if (total > expected.get()) {
        crc.completeExceptionally(new AssertionError(total + " bytes arrived"));
      }
    }
  }

  /** Runs {@code action} on the loop of {@code channel} and waits for it. */
  protected static void onLoop(Channel channel, Consumer<Channel> action) throws Exception {
    channel.eventLoop().submit(() -> action.accept(channel)).sync();
  }
}
