package io.grpcstream.libp2p;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import java.util.concurrent.atomic.AtomicLong;

/** From its first byte on, writes to its stream whenever the stream takes it. */
final class Flood extends ChannelInboundHandlerAdapter {
  private static final int CHUNK = 16_384;

  private final AtomicLong written = new AtomicLong();
  private volatile ChannelHandlerContext context;

  /** Waits until the stream takes no more. */
  void awaitStop() {
    TestHosts.eventually("stopped", () -> context != null && !context.channel().isWritable());
  }

  /** The bytes written. */
  long written() {
    return written.get();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    ReferenceCountUtil.release(message);
    context = ctx;
    write(ctx);
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    write(ctx);
  }

  private void write(ChannelHandlerContext ctx) {
    while (ctx.channel().isActive() && ctx.channel().isWritable()) {
      ctx.writeAndFlush(Unpooled.wrappedBuffer(new byte[CHUNK]));
      written.addAndGet(CHUNK);
    }
  }
}
