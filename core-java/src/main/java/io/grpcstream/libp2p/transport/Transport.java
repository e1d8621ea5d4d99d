package io.grpcstream.libp2p.transport;

import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import java.net.SocketAddress;
import java.time.Duration;

/**
 * One way to reach a peer: makes channels that carry raw bytes, in order and without loss, and
 * turns unwritable when the other side does not take them. Security and multiplexing are added on
 * top, in the channel's pipeline. Instances are thread-safe and hold nothing that needs closing.
 */
public interface Transport {
  /**
   * A channel turns unwritable at 512 KiB of bytes that the other side has not taken, and writable
   * again at 256 KiB. The muxer takes turns between its streams only while the channel is writable,
   * so this is also what one bulk stream can put in front of another stream's small frame, beside
   * what the system itself buffers.
   */
  WriteBufferWaterMark WATER_MARK = new WriteBufferWaterMark(256 << 10, 512 << 10);

  /** Whether {@link #dial} and {@link #listen} understand this kind of address. */
  boolean handles(SocketAddress address);

  /**
   * Opens a channel to {@code address} on {@code loop}. May be called from any thread.
   *
   * <p>The future succeeds once the channel is active, and fails with a {@link java.io.IOException}
   * (refused, unreachable, timed out; the text names the address). Cancelling it closes the
   * channel.
   *
   * @param initializer added to the new channel's pipeline before it connects, so it misses no
   *     event and no byte
   * @param timeout how long connecting may take; at least one millisecond
   * @throws IllegalArgumentException if the address is not one of this transport's
   */
  ChannelFuture dial(
      EventLoop loop, SocketAddress address, ChannelHandler initializer, Duration timeout);

  /**
   * Accepts channels at {@code address} until the future's channel is closed. That channel runs on
   * one loop of {@code group}, the accepted ones spread over all of them; its {@code
   * localAddress()} is the address really bound, where {@code address} left a choice (port 0).
   *
   * <p>The future fails with a {@link java.io.IOException} if the address is taken or not ours.
   *
   * @param childInitializer added to each accepted channel's pipeline before it is active; must be
   *     {@linkplain ChannelHandler.Sharable sharable}, as a {@code ChannelInitializer} is
   * @throws IllegalArgumentException if the address is not one of this transport's
   */
  ChannelFuture listen(
      EventLoopGroup group, SocketAddress address, ChannelHandler childInitializer);
}
