package io.grpcstream.libp2p.connection;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import org.jspecify.annotations.Nullable;

/**
 * First in the pipeline of a raw channel, as long as that lives: makes a {@link SocketFailure} of
 * what the operating system says, and tells of a failure to write, too. Of that Netty tells nobody
 * but who has written: the channel just closes, as if the other side had closed it.
 */
final class SocketErrors extends ChannelInboundHandlerAdapter {
  private boolean told;

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (cause instanceof IOException failure) {
      told = true;
      ctx.fireExceptionCaught(new SocketFailure(failure));
    } else {
      ctx.fireExceptionCaught(cause);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    IOException unwritten = told ? null : unwritten(ctx);
    if (unwritten != null) {
      exceptionCaught(ctx, unwritten);
    }
    ctx.fireChannelInactive();
  }

  /**
   * The failure to write by which the channel has closed, if it was one: Netty keeps it as the
   * cause of what all later writes fail with, so that no write has to be watched.
   */
  private static @Nullable IOException unwritten(ChannelHandlerContext ctx) {
    Throwable closed = ctx.write(Unpooled.EMPTY_BUFFER).cause();
    return closed instanceof ClosedChannelException
            && closed.getCause() instanceof IOException failure
            && !(failure instanceof ClosedChannelException)
        ? failure
        : null;
  }
}
