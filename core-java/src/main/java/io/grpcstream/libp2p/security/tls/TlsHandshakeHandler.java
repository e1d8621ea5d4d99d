package io.grpcstream.libp2p.security.tls;

import io.grpcstream.libp2p.crypto.PublicKey;
import io.grpcstream.libp2p.handover.Leftovers;
import io.grpcstream.libp2p.security.RemoteKeyCheck;
import io.grpcstream.libp2p.security.SecuredConnection;
import io.grpcstream.libp2p.security.tls.PeerVerifier.Handshake;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Promise;
import java.nio.channels.ClosedChannelException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Stands behind Netty's TLS handler until the handshake is over, judges its outcome, and makes way
 * for a {@link TlsEndHandler}.
 *
 * <p>The order at the end: the future completes and its listeners add the next handlers, this
 * handler leaves, and what was decrypted meanwhile goes on to them.
 */
final class TlsHandshakeHandler extends ChannelInboundHandlerAdapter {
  private final SSLEngine engine;
  private final Handshake handshake;
  private final RemoteKeyCheck check;
  private final Consumer<SSLEngine> end;
  private final Supplier<@Nullable SSLException> unsaid;
  private final Promise<SecuredConnection> secured;

  /** Buffers and events that came before the listeners have run. */
  private final Leftovers held = new Leftovers();

  private boolean decided;

  /**
   * A handler for one handshake.
   *
   * @param check judges the remote's key after the handshake
   * @param end called with the engine when the handshake is over
   * @param unsaid for the {@link TlsEndHandler}
   */
  TlsHandshakeHandler(
      SSLEngine engine,
      Handshake handshake,
      RemoteKeyCheck check,
      Consumer<SSLEngine> end,
      Supplier<@Nullable SSLException> unsaid,
      Promise<SecuredConnection> secured) {
    this.engine = engine;
    this.handshake = handshake;
    this.check = check;
    this.end = end;
    this.unsaid = unsaid;
    this.secured = secured;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    if (ctx.channel().isActive()) {
      readFirst(ctx);
    }
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    ctx.fireChannelActive();
    readFirst(ctx);
  }

  /** TLS reads for itself while the handshake lasts, once it has received something. */
  private static void readFirst(ChannelHandlerContext ctx) {
    if (!ctx.channel().config().isAutoRead()) {
      ctx.read();
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (secured.cause() == null) {
      held.add(message);
    } else {
      ReferenceCountUtil.release(message);
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof SslHandshakeCompletionEvent completion) {
      if (completion.isSuccess()) {
        complete(ctx);
      } else {
        fail(completion.cause());
      }
    } else if (decided && secured.cause() == null) {
      held.add(event);
    } else {
      ctx.fireUserEventTriggered(event);
    }
  }

  private void complete(ChannelHandlerContext ctx) {
    SecuredConnection connection;
    try {
      connection = judge();
    } catch (Exception e) {
      fail(e);
      return;
    }
    decided = true;
    ctx.pipeline().addAfter(ctx.name(), null, new TlsEndHandler(unsaid));
    if (secured.trySuccess(connection)) {
      held.handOver(secured, ctx, () -> false);
    }
  }

  private SecuredConnection judge() throws Exception {
    PublicKey key = handshake.remoteKey();
    if (key == null) {
      throw new TlsException("the remote has shown no certificate");
    }
    String protocol = engine.getApplicationProtocol();
    if (protocol == null || protocol.isEmpty()) {
      throw new TlsException("no common application protocol (ALPN)");
    }
    check.check(key);
    return new SecuredConnection(key, protocol.equals(TlsSecurity.NO_MUXER) ? null : protocol);
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    fail(new ClosedChannelException());
    ctx.fireChannelInactive();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (secured.isDone()) {
      ctx.fireExceptionCaught(cause);
    } else {
      fail(cause);
    }
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    if (!secured.isDone()) {
      fail(new TlsException("the handler was removed before the handshake was complete"));
    }
    end.accept(engine);
    held.release();
  }

  /** The reason of the certificate's judge counts for more than what TLS made of it. */
  private void fail(Throwable cause) {
    if (secured.isDone()) {
      return;
    }
    decided = true;
    Exception refused = handshake.failure();
    Throwable reason = refused != null ? refused : cause;
    if (reason instanceof ClosedChannelException) {
      reason = new TlsException("the channel closed before the handshake was complete", reason);
    }
    secured.tryFailure(TlsErrors.isOfTls(reason) ? TlsErrors.describe(reason) : reason);
  }
}
