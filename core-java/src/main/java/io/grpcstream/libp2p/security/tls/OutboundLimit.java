package io.grpcstream.libp2p.security.tls;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;

/**
 * Stands before Netty's TLS handler and ends the connection when too much waits for a remote that
 * makes this side answer and does not read.
 *
 * <p>TLS may answer without anyone behind it having written: each KeyUpdate that requests another
 * (RFC 8446, section 4.6.3) costs a record with the JDK, and no handler behind TLS learns of it.
 * Yamux ends a connection that takes nothing for its {@code writeTimeout}; this bounds what piles
 * up until then. Reading does not stop meanwhile, as it must not where both sides may be waiting
 * for each other.
 */
final class OutboundLimit extends ChannelInboundHandlerAdapter {
  /**
   * Bytes above the channel's low water mark, each record counted as 96 more, as Netty does: about
   * 17,000 answers to KeyUpdates, and those to what one more read brings. Data stops far below, at
   * the high water mark, and so do the answers that a peer causes who reads.
   */
  static final long MAX_BYTES = 2 << 20;

  private boolean ended;

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (ended) {
      ReferenceCountUtil.release(message);
    } else if (ctx.channel().bytesBeforeWritable() <= MAX_BYTES) {
      ctx.fireChannelRead(message);
    } else {
      ended = true;
      ReferenceCountUtil.release(message);
      ctx.fireExceptionCaught(
          new TlsException(
              "more than %,d bytes that the remote does not read".formatted(MAX_BYTES)));
      // At once: TLS itself would first wait for the remote to read its end.
      ctx.close();
    }
  }
}
