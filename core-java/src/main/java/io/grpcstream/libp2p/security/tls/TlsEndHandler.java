package io.grpcstream.libp2p.security.tls;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import java.util.function.Supplier;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Behind Netty's TLS handler once the handshake is over: says in this package's words why the
 * connection ends, and closes it when the remote has said its end ({@code close_notify}), since
 * nothing more can come.
 */
final class TlsEndHandler extends ChannelInboundHandlerAdapter {
  private final Supplier<@Nullable SSLException> unsaid;
  private boolean ended;

  /** {@code unsaid} says, after each read, why TLS has refused what came, without a word yet. */
  TlsEndHandler(Supplier<@Nullable SSLException> unsaid) {
    this.unsaid = unsaid;
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    SSLException failure = ended || !ctx.channel().isActive() ? null : unsaid.get();
    if (failure != null) {
      exceptionCaught(ctx, failure);
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
    ctx.fireExceptionCaught(TlsErrors.isOfTls(cause) ? TlsErrors.describe(cause) : cause);
    ctx.close();
  }
}
