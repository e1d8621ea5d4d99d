package io.grpcstream.libp2p.foreign;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.ServerChannel;
import io.netty.channel.socket.DuplexChannel;
import org.jspecify.annotations.Nullable;

/**
 * What {@link DuplexChannel}s need that share a connection with others, as the streams of Netty's
 * QUIC do. It is the first handler, so that whatever is asked for passes it, by whom ever.
 *
 * <ul>
 *   <li><b>A close stops the input</b>, unless that has ended. Netty's QUIC ends the output only,
 *       and reads nothing from then on: what comes all the same keeps its part of the connection's
 *       flow-control window, until no other stream gets on. Stopped (RFC 9000, section 3.5), the
 *       peer sends no more, and what has come is given back.
 *   <li><b>What is still to be sent</b> is counted, as such a channel has no outbound buffer to
 *       look into.
 * </ul>
 */
final class DuplexStreamHandler extends ChannelOutboundHandlerAdapter {
  private final UnsentBytes unsent = new UnsentBytes();

  private DuplexStreamHandler() {}

  /** Adds one to {@code channel} if it is of the kind that needs it. */
  static void addTo(Channel channel) {
    boolean sharesConnection =
        channel.parent() != null && !(channel.parent() instanceof ServerChannel);
    if (channel instanceof DuplexChannel && sharesConnection) {
      channel.pipeline().addFirst(new DuplexStreamHandler());
    }
  }

  /** That of {@code channel}, if it has one. */
  static @Nullable DuplexStreamHandler of(Channel channel) {
    return channel.pipeline().get(DuplexStreamHandler.class);
  }

  /** How many bytes are still to be sent. On the event loop. */
  long unsentBytes() {
    return unsent.bytes();
  }

  /** Tells the peer of {@code channel} that nothing more will be read, unless it has ended. */
  static void stopInput(Channel channel) {
    if (channel instanceof DuplexChannel duplex
        && channel.isActive()
        && !duplex.isInputShutdown()) {
      duplex.shutdownInput(); // It can fail only if the connection has ended, and all with it.
    }
  }

  @Override
  public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
    if (message instanceof ByteBuf bytes && bytes.isReadable()) {
      ctx.write(unsent.track(direct(ctx, bytes), ctx.alloc()), promise);
    } else {
      ctx.write(message, promise);
    }
  }

  /** Others are copied below, so that it could not be seen how much of them is sent. */
  private static ByteBuf direct(ChannelHandlerContext ctx, ByteBuf bytes) {
    if (bytes.isDirect()) {
      return bytes;
    }
    try {
      return ctx.alloc().directBuffer(bytes.readableBytes()).writeBytes(bytes);
    } finally {
      bytes.release();
    }
  }

  @Override
  public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
    stopInput(ctx.channel());
    ctx.close(promise);
  }
}
