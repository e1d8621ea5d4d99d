package io.grpcstream.libp2p.handover;

import io.netty.channel.ChannelHandlerContext;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.ReferenceCounted;
import io.netty.util.concurrent.Future;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.function.BooleanSupplier;

/**
 * What came for the next handlers while this one stood in their place: bytes that the remote sent
 * together with its last message, and events behind them. They go on in the order in which they
 * came. Owns the buffers until then.
 */
public final class Leftovers {
  private final Queue<Object> held = new ArrayDeque<>(2);

  /** Keeps a buffer, or an event. */
  public void add(Object bufferOrEvent) {
    held.add(bufferOrEvent);
  }

  /**
   * Once {@code outcome}, a success, was told to those who add the next handlers, takes the handler
   * of {@code ctx} out of the pipeline and passes on to them all that is held; unless it is out
   * already.
   *
   * @param reading asked then: whether the read that is under way is yet to be completed
   */
  public void handOver(Future<?> outcome, ChannelHandlerContext ctx, BooleanSupplier reading) {
    // Listeners run in order, so this one runs after those that add the next handlers, even when
    // deeply nested notifications make Netty defer them to a later turn.
    outcome.addListener(f -> handOver(ctx, reading));
  }

  private void handOver(ChannelHandlerContext ctx, BooleanSupplier reading) {
    if (ctx.isRemoved()) {
      return;
    }
    Object[] messages = held.toArray();
    held.clear(); // The handler releases, when it is removed, what is held still.
    ctx.pipeline().remove(ctx.handler());
    for (Object message : messages) {
      if (message instanceof ReferenceCounted) {
        ctx.fireChannelRead(message);
      } else {
        ctx.fireUserEventTriggered(message);
      }
    }
    if (messages.length > 0 && !reading.getAsBoolean()) {
      ctx.fireChannelReadComplete();
    }
  }

  /** Releases all that is held. */
  public void release() {
    for (Object message; (message = held.poll()) != null; ) {
      ReferenceCountUtil.release(message);
    }
  }
}
