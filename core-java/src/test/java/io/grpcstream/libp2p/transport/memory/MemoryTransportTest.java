package io.grpcstream.libp2p.transport.memory;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpcstream.libp2p.transport.Transport;
import io.grpcstream.libp2p.transport.TransportContract;
import io.grpcstream.libp2p.transport.tcp.TcpTransport;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.local.LocalAddress;
import io.netty.channel.nio.NioIoHandler;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** On the event loops that TCP uses, as a host does. */
class MemoryTransportTest extends TransportContract {
  @Override
  protected Transport transport() {
    return new MemoryTransport();
  }

  @Override
  protected IoHandlerFactory ioHandlerFactory() {
    return TcpTransport.ioHandlerFactory();
  }

  @Override
  protected SocketAddress anyAddress() {
    return MemoryTransport.address(0);
  }

  @Override
  protected SocketAddress unusedAddress() {
    return MemoryServerChannel.freeAddress();
  }

  @Override
  protected SocketAddress foreignAddress() {
    return new InetSocketAddress(1);
  }

  @Test
  void listeningAtZeroPicksAFreeNumber() throws Exception {
    SocketAddress one = listen(new Ignore()).channel().localAddress();
    SocketAddress two = listen(new Ignore()).channel().localAddress();
    assertThat(MemoryTransport.number(one)).isNotZero();
    assertThat(one).isNotEqualTo(two);
  }

  @Test
  void aNumberIsFreeAgainOnceItsListenerIsClosed() throws Exception {
    ChannelFuture first = listen(new Ignore());
    SocketAddress address = first.channel().localAddress();
    first.channel().close().sync();
    Channel second = transport.listen(group, address, new Ignore()).sync().channel();
    assertThat(second.localAddress()).isEqualTo(address);
  }

  @Test
  void numbersAreUnsignedAndOtherAddressesAreNone() {
    assertThat(MemoryTransport.number(MemoryTransport.address(-1))).isEqualTo(-1);
    assertThat(MemoryTransport.address(-1).id()).isEqualTo("18446744073709551615");
    assertThatThrownBy(() -> MemoryTransport.number(new LocalAddress("seven")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("seven");
  }

  @Test
  @DisplayName("A writer that floods a reader that stopped is held to the pipe")
  void floodingAReaderThatStopped() throws Exception {
    SocketAddress address = listen(new Ignore()).channel().localAddress();
    Channel client = dial(address, new Ignore()).sync().channel();
    Channel server = accepted.take();
    server.config().setAutoRead(false);
    client.writeAndFlush(Unpooled.wrappedBuffer(new byte[1])).sync();
    // The read that was under way may take some; after it, none.
    onLoop(server, c -> {});
    List<ChannelFuture> writes = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      writes.add(client.writeAndFlush(Unpooled.wrappedBuffer(new byte[64 << 10])));
    }
    onLoop(client, c -> {});
    long taken = writes.stream().filter(ChannelFuture::isDone).count() * (64 << 10);
    assertThat(taken).isLessThanOrEqualTo(2L * MemoryPipe.CAPACITY);
  }

  @Test
  @DisplayName("The reader owns its bytes, even if the writer keeps the buffer")
  void readerOwnsItsBytes() throws Exception {
    CompletableFuture<ByteBuf> received = new CompletableFuture<>();
    SocketAddress address =
        listen(
                new ChannelInboundHandlerAdapter() {
                  @Override
                  public void channelRead(ChannelHandlerContext ctx, Object message) {
                    received.complete((ByteBuf) message);
                  }
                })
            .channel()
            .localAddress();
    Channel client = dial(address, new Ignore()).sync().channel();
    ByteBuf kept = Unpooled.copiedBuffer("as sent", US_ASCII);
    client.writeAndFlush(kept.retain()).sync();

    ByteBuf got = received.get(10, SECONDS);
    kept.setByte(0, 'X');

    assertThat(got.toString(US_ASCII)).isEqualTo("as sent");
    got.release();
    assertThat(kept.refCnt()).isEqualTo(1);
    kept.release();
  }

  @Test
  void unreadBytesAreReleasedWhenTheReaderCloses() throws Exception {
    SocketAddress address = listen(new Ignore()).channel().localAddress();
    Channel client = dial(address, new Ignore()).sync().channel();
    Channel server = accepted.take();
    server.config().setAutoRead(false);
    client.writeAndFlush(Unpooled.wrappedBuffer(new byte[1])).sync();
    onLoop(server, c -> {});
    ByteBuf first = Unpooled.wrappedBuffer(new byte[1000]);
    ByteBuf stuck = Unpooled.wrappedBuffer(new byte[2 * MemoryPipe.CAPACITY]);
    client.writeAndFlush(first);
    ChannelFuture write = client.writeAndFlush(stuck);

    server.close().sync();

    client.closeFuture().sync();
    assertThat(write.await().cause()).isInstanceOf(ClosedChannelException.class);
    assertThat(first.refCnt()).isZero();
    assertThat(stuck.refCnt()).isZero();
  }

  @Test
  void pastTheBacklogDialsAreRefused() throws Exception {
    Channel listener = listen(new Ignore()).channel();
    onLoop(listener, c -> {}); // Its first accept is under way now, and will still happen.
    listener.config().setAutoRead(false);
    dial(listener.localAddress(), new Ignore()).sync();
    accepted.take();
    for (int i = 0; i < MemoryServerChannel.BACKLOG; i++) {
      dial(listener.localAddress(), new Ignore()).sync();
    }
    assertThatThrownBy(() -> dial(listener.localAddress(), new Ignore()).sync())
        .isInstanceOf(ConnectException.class)
        .hasMessageContaining("too many");
    assertThat(accepted).isEmpty();
  }

  @Test
  void closingAListenerEndsWhatItHadNotAccepted() throws Exception {
    Channel listener = listen(new Ignore()).channel();
    onLoop(listener, c -> {}); // Its first accept is under way now, and will still happen.
    listener.config().setAutoRead(false);
    dial(listener.localAddress(), new Ignore()).sync();
    accepted.take();
    Channel waiting = dial(listener.localAddress(), new Ignore()).sync().channel();

    listener.close().sync();

    waiting.closeFuture().sync();
    assertThat(accepted).isEmpty();
  }

  @Test
  void theEndOfAnEventLoopClosesItsChannels() throws Exception {
    MultiThreadIoEventLoopGroup other =
        new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    SocketAddress address = listen(new Ignore()).channel().localAddress();
    Channel listener =
        transport.listen(other, MemoryTransport.address(0), new Ignore()).sync().channel();
    Channel client =
        transport.dial(other.next(), address, new Ignore(), DIAL_TIMEOUT).sync().channel();
    Channel server = accepted.take();

    other.shutdownGracefully(0, 5, SECONDS).sync();

    assertThat(client.isOpen()).isFalse();
    assertThat(listener.isOpen()).isFalse();
    server.closeFuture().sync();
  }

  @Test
  void twoChannelsOfOneLoopDoNotCallIntoEachOther() throws Exception {
    MultiThreadIoEventLoopGroup one = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    try {
      CompletableFuture<Integer> deepest = new CompletableFuture<>();
      PingPong both = new PingPong(deepest);
      Channel listener = transport.listen(one, MemoryTransport.address(0), both).sync().channel();
      Channel client =
          transport.dial(one.next(), listener.localAddress(), both, DIAL_TIMEOUT).sync().channel();
      client.writeAndFlush(Unpooled.copyInt(0));
      assertThat(deepest.get(10, SECONDS)).isEqualTo(1);
    } finally {
      one.shutdownGracefully(0, 5, SECONDS).await();
    }
  }

  /** Answers until 1,000 were sent, and tells how deep the calls on the one loop were nested. */
  @ChannelHandler.Sharable
  private static final class PingPong extends ChannelInboundHandlerAdapter {
    private final CompletableFuture<Integer> result;
    private int depth;
    private int deepest;

    PingPong(CompletableFuture<Integer> result) {
      this.result = result;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      depth++;
      deepest = Math.max(deepest, depth);
      int count = ((ByteBuf) message).readInt();
      ((ByteBuf) message).release();
      if (count == 1_000) {
        result.complete(deepest);
      } else {
        ctx.writeAndFlush(Unpooled.copyInt(count + 1));
      }
      depth--;
    }
  }
}
