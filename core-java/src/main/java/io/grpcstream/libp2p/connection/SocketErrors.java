package io.grpcstream.libp2p.connection;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import org.jspecify.annotations.Nullable;

/**
 * First in the pipeline of a raw channel, as long as that lives: makes a {@link SocketFailure} of
 * what the operating system says, and tells of a failure to write, too. Of that Netty tells nobody
 * but who has written: the channel just closes, as if the other side had closed it.
 */
final class SocketErrors extends ChannelDuplexHandler {
  private @Nullable IOException unwritten;
  private boolean told;

  private final ChannelFutureListener written =
      write -> {
        if (write.cause() instanceof IOException failure
            && !(failure instanceof ClosedChannelException)
            && unwritten == null) {
          unwritten = failure;
        }
      };

  @Override
  public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
    ctx.write(message, promise.unvoid().addListener(written));
  }

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
    if (unwritten != null && !told) {
      exceptionCaught(ctx, unwritten);
    }
    ctx.fireChannelInactive();
  }
}
