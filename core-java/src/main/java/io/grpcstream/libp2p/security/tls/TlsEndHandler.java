package io.grpcstream.libp2p.security.tls;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslCloseCompletionEvent;

/**
 * Behind Netty's TLS handler once the handshake is over: says in this package's words why the
 * connection ends, and closes it when the remote has said its end ({@code close_notify}), since
 * nothing more can come.
 */
final class TlsEndHandler extends ChannelInboundHandlerAdapter {
  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (!(event instanceof SslCloseCompletionEvent end)) {
      ctx.fireUserEventTriggered(event);
    } else if (end.isSuccess()) {
      ctx.close();
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    ctx.fireExceptionCaught(
        TlsErrors.isOfTls(cause)
            ? TlsErrors.describe(ctx.channel().remoteAddress(), cause)
            : cause);
    ctx.close();
  }
}
