package io.grpcstream.libp2p.security.tls;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import java.util.function.BooleanSupplier;

/**
 * Behind Netty's TLS handler once the handshake is over: says in this package's words why the
 * connection ends, and closes it when the remote has said its end ({@code close_notify}), since
 * nothing more can come.
 */
final class TlsEndHandler extends ChannelInboundHandlerAdapter {
  private final BooleanSupplier failed;
  private boolean ended;

  /** {@code failed} says, after each read, whether TLS has refused what came without a word. */
  TlsEndHandler(BooleanSupplier failed) {
    this.failed = failed;
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    if (!ended && ctx.channel().isActive() && failed.getAsBoolean()) {
      exceptionCaught(
          ctx, new TlsException("a record is not authentic, or none that may come now"));
    }
    ctx.fireChannelReadComplete();
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (!(event instanceof SslCloseCompletionEvent end)) {
      ctx.fireUserEventTriggered(event);
    } else if (end.isSuccess()) {
      ended = true;
      ctx.close();
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    ended = true;
    ctx.fireExceptionCaught(
        TlsErrors.isOfTls(cause)
            ? TlsErrors.describe(ctx.channel().remoteAddress(), cause)
            : cause);
    ctx.close();
  }
}
