package io.grpcstream.libp2p.transport.tcp;

import io.grpcstream.libp2p.transport.Transport;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;

/**
 * TCP. The kind of channel follows the event loop it is asked to run on: epoll, kqueue or NIO.
 *
 * <p>Addresses must be resolved: looking a name up blocks, and one name may have many addresses, so
 * that is the caller's business.
 */
public final class TcpTransport implements Transport {
  /**
   * Connections the kernel completes before we accept them. Small enough that a flood is refused by
   * the kernel, large enough for a burst of peers that reconnect at once.
   */
  static final int BACKLOG = 256;

  private static final int READ_MINIMUM = 1 << 10;
  private static final int READ_INITIAL = 16 << 10;
  // Four full Noise messages: bulk transfers decrypt several records per wake-up.
  private static final int READ_MAXIMUM = 256 << 10;

  /**
   * The best way this platform has to wait for sockets, for a {@code MultiThreadIoEventLoopGroup}
   * that runs this transport's channels.
   */
  public static IoHandlerFactory ioHandlerFactory() {
    return SocketKind.ofPlatform().ioHandlerFactory();
  }

  @Override
  public boolean handles(SocketAddress address) {
    return address instanceof InetSocketAddress;
  }

  @Override
  public ChannelFuture dial(
      EventLoop loop, SocketAddress address, ChannelHandler initializer, Duration timeout) {
    InetSocketAddress remote = resolved(address);
    long millis = Math.max(1, Math.min(Integer.MAX_VALUE, timeout.toMillis()));
    return new Bootstrap()
        .group(loop)
        .disableResolver()
        .channelFactory(SocketKind.of(loop)::newChannel)
        .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) millis)
        .option(ChannelOption.TCP_NODELAY, true)
        .option(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK)
        .option(ChannelOption.RECVBUF_ALLOCATOR, readSizes())
        .handler(initializer)
        .connect(remote);
  }

  @Override
  public ChannelFuture listen(
      EventLoopGroup group, SocketAddress address, ChannelHandler childInitializer) {
    InetSocketAddress local = resolved(address);
    EventLoop acceptor = group.next();
    return new ServerBootstrap()
        .group(acceptor, group)
        .channelFactory(SocketKind.of(acceptor)::newServerChannel)
        .option(ChannelOption.SO_BACKLOG, BACKLOG)
        .option(ChannelOption.SO_REUSEADDR, true)
        .childOption(ChannelOption.TCP_NODELAY, true)
        .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK)
        .childOption(ChannelOption.RECVBUF_ALLOCATOR, readSizes())
        .childHandler(childInitializer)
        .bind(local);
  }

  private static AdaptiveRecvByteBufAllocator readSizes() {
    return new AdaptiveRecvByteBufAllocator(READ_MINIMUM, READ_INITIAL, READ_MAXIMUM);
  }

  private static InetSocketAddress resolved(SocketAddress address) {
    if (!(address instanceof InetSocketAddress inet)) {
      throw new IllegalArgumentException("tcp: not an internet address: " + address);
    }
    if (inet.isUnresolved()) {
      throw new IllegalArgumentException("tcp: address must be resolved first: " + address);
    }
    return inet;
  }
}
