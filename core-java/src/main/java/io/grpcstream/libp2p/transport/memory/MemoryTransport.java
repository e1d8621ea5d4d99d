package io.grpcstream.libp2p.transport.memory;

import io.grpcstream.libp2p.transport.Transport;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.local.LocalAddress;
import java.net.SocketAddress;
import java.time.Duration;

/**
 * Connections within one JVM, at addresses {@code /memory/<n>} that are unique in it. They run on
 * any event loop and behave as a socket does, with a bounded buffer of {@value MemoryPipe#CAPACITY}
 * bytes a direction: bytes arrive in pieces of another size than they were written, a reader that
 * stops makes the writer unwritable, and what was handed over before a close still arrives.
 *
 * <p>An address is a {@link LocalAddress} whose id is the number; see {@link #address}.
 */
public final class MemoryTransport implements Transport {
  /**
   * The address {@code /memory/<number>}. To listen at number 0 is to listen at a free number.
   *
   * @param number an unsigned 64-bit number
   */
  public static LocalAddress address(long number) {
    return new LocalAddress(Long.toUnsignedString(number));
  }

  /**
   * The number of an address.
   *
   * @throws IllegalArgumentException if it is not one of {@link #address}
   */
  public static long number(SocketAddress address) {
    if (address instanceof LocalAddress local) {
      try {
        return Long.parseUnsignedLong(local.id());
      } catch (NumberFormatException e) {
        throw new IllegalArgumentException("memory: not a number: " + address, e);
      }
    }
    throw new IllegalArgumentException("memory: not a memory address: " + address);
  }

  @Override
  public boolean handles(SocketAddress address) {
    return address instanceof LocalAddress;
  }

  /** {@inheritDoc} A memory connection is made or refused at once: the time-out plays no part. */
  @Override
  public ChannelFuture dial(
      EventLoop loop, SocketAddress address, ChannelHandler initializer, Duration timeout) {
    LocalAddress remote = address(number(address));
    return new Bootstrap()
        .group(loop)
        .disableResolver()
        .channelFactory(MemoryChannel::new)
        .option(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK)
        .handler(initializer)
        .connect(remote);
  }

  @Override
  public ChannelFuture listen(
      EventLoopGroup group, SocketAddress address, ChannelHandler childInitializer) {
    LocalAddress local = address(number(address));
    return new ServerBootstrap()
        .group(group.next(), group)
        .channelFactory(MemoryServerChannel::new)
        .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK)
        .childHandler(childInitializer)
        .bind(local);
  }
}
