package io.grpcstream.libp2p.stream;

import io.grpcstream.libp2p.util.EventLoops;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.ChannelInputShutdownReadComplete;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a stream still between the end of its negotiation and the moment its user is ready for
 * bytes: passes no {@code read()} on, and holds what arrives all the same (the negotiation may have
 * read more than its own messages). Add it behind the negotiation's handler, in the callback that
 * ends the negotiation, before any handler of the user.
 *
 * <p>What releases it:
 *
 * <ul>
 *   <li>an inbound stream: {@link #handled()}, once the stream handler has returned, unless that
 *       handler turned {@code autoRead} off; then the first {@code read()}, which turning it on
 *       causes, too;
 *   <li>an outbound stream: the first write, unless {@code autoRead} is off, or the first {@code
 *       read()} that the user asks for.
 * </ul>
 *
 * <p>Except for {@link #handled()}, the release happens in a task of its own, so handlers that are
 * added one after another, some of which write at once, all see the first byte.
 *
 * <p>Released, it fires what it holds, in the order of arrival, then {@code channelReadComplete},
 * and removes itself. The end of the stream and errors keep their place behind held bytes. If the
 * channel becomes inactive first, everything is delivered at that moment, for it is the last one.
 */
public final class ReadGate extends ChannelDuplexHandler {
  private enum State {
    /** Not to be released by reads yet: the inbound stream's handler has not returned. */
    WAITING,
    /** The next write (outbound) or read releases. */
    READY,
    /** Released, with the task that delivers on its way. */
    RELEASED,
    /** Delivering; what comes in meanwhile still queues up. */
    DELIVERING,
    DONE
  }

  private interface Event {
    void fire(ChannelHandlerContext context);
  }

  private record Bytes(Object message) implements Event {
    @Override
    public void fire(ChannelHandlerContext context) {
      context.fireChannelRead(message);
    }
  }

  private final boolean outbound;
  private final Queue<Event> held = new ArrayDeque<>();
  private final AutoReadMark mark = new AutoReadMark();
  private State state;
  private boolean readWanted;
  private boolean bytesDelivered;
  private @Nullable ChannelHandlerContext context;

  private ReadGate(boolean outbound) {
    this.outbound = outbound;
    state = outbound ? State.READY : State.WAITING;
  }

  /** For a stream the peer opened. */
  public static ReadGate inbound() {
    return new ReadGate(false);
  }

  /** For a stream this side opened. */
  public static ReadGate outbound() {
    return new ReadGate(true);
  }

  /**
   * The inbound stream's handler has returned. Must be called on the stream's event loop, once this
   * handler is in the pipeline. Delivers before it returns, unless {@code autoRead} is off.
   */
  public void handled() {
    if (state != State.WAITING || context == null) {
      return;
    }
    state = State.READY;
    if (readWanted || context.channel().config().isAutoRead()) {
      deliver(context);
    }
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    context = ctx;
    if (outbound) {
      ctx.pipeline().addFirst(mark);
    }
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    // Removed by someone else, or with the pipeline of a channel that has ended.
    if (state != State.DONE) {
      drain(ctx);
      finish(ctx);
    }
  }

  @Override
  public void read(ChannelHandlerContext ctx) {
    switch (state) {
      case WAITING -> {
        // With autoRead on, this may be no one's wish; handled() will look at autoRead instead.
        if (!ctx.channel().config().isAutoRead()) {
          readWanted = true;
        }
      }
      case READY -> {
        if (!mark.takeAutomatic()) {
          readWanted = true;
          release(ctx);
        }
      }
      case RELEASED -> readWanted = true;
      default -> ctx.read();
    }
  }

  @Override
  public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
    ctx.write(message, promise);
    if (outbound && state == State.READY && ctx.channel().config().isAutoRead()) {
      release(ctx);
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (state == State.DONE) {
      ctx.fireChannelRead(message);
    } else {
      held.add(new Bytes(compact(ctx, message)));
    }
  }

  /**
   * What waits may wait for long, and a few bytes that came in a large record would keep all of the
   * record alive: so bytes that are not most of their memory get memory of their own.
   */
  private static Object compact(ChannelHandlerContext ctx, Object message) {
    if (!(message instanceof ByteBuf bytes) || bytes.readableBytes() >= memory(bytes) / 2) {
      return message;
    }
    ByteBuf copy = ctx.alloc().buffer(bytes.readableBytes());
    copy.writeBytes(bytes);
    bytes.release();
    return copy;
  }

  private static int memory(ByteBuf buffer) {
    ByteBuf root = buffer;
    while (root.unwrap() != null) {
      root = root.unwrap();
    }
    return root.capacity();
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    if (state == State.DONE) {
      ctx.fireChannelReadComplete();
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event == ChannelInputShutdownEvent.INSTANCE
        || event == ChannelInputShutdownReadComplete.INSTANCE) {
      hold(ctx, c -> c.fireUserEventTriggered(event));
    } else {
      // Handlers talk to each other by events, from the head of the pipeline on: gRPC's do.
      ctx.fireUserEventTriggered(event);
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    hold(ctx, c -> c.fireExceptionCaught(cause));
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    if (state != State.DONE) {
      deliver(ctx);
    }
    ctx.fireChannelInactive();
  }

  private void hold(ChannelHandlerContext ctx, Event event) {
    if (state == State.DONE) {
      event.fire(ctx);
    } else {
      held.add(event);
    }
  }

  private void release(ChannelHandlerContext ctx) {
    state = State.RELEASED;
    EventLoops.runLaterOrHere(ctx.executor(), () -> deliver(ctx));
  }

  private void deliver(ChannelHandlerContext ctx) {
    if (state == State.DELIVERING || state == State.DONE) {
      return;
    }
    state = State.DELIVERING;
    drain(ctx);
    finish(ctx);
    if (bytesDelivered) {
      ctx.fireChannelReadComplete();
    }
    // The reads that were not passed on: head would have asked for them had it fired the events.
    if (ctx.channel().config().isAutoRead() || (readWanted && !bytesDelivered)) {
      ctx.read();
    }
    if (!ctx.isRemoved()) {
      ctx.pipeline().remove(this);
    }
  }

  private void drain(ChannelHandlerContext ctx) {
    for (Event event = held.poll(); event != null; event = held.poll()) {
      bytesDelivered |= event instanceof Bytes;
      event.fire(ctx);
    }
  }

  private void finish(ChannelHandlerContext ctx) {
    state = State.DONE;
    if (ctx.pipeline().context(mark) != null) {
      ctx.pipeline().remove(mark);
    }
  }

  /**
   * Tells the reads that Netty makes by itself, which must not release an outbound stream, from
   * those that the user asks for. With autoRead on, the pipeline's head reads right after it fired
   * {@code channelActive} or {@code channelReadComplete}. Being the first handler, this one returns
   * to the head last of all, so the read that follows is the head's.
   */
  private static final class AutoReadMark extends ChannelInboundHandlerAdapter {
    private boolean automatic;

    boolean takeAutomatic() {
      boolean taken = automatic;
      automatic = false;
      return taken;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
      ctx.fireChannelActive();
      expectRead(ctx);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
      ctx.fireChannelReadComplete();
      expectRead(ctx);
    }

    private void expectRead(ChannelHandlerContext ctx) {
      if (!ctx.isRemoved() && ctx.channel().config().isAutoRead()) {
        automatic = true;
        // A handler of the user may keep that read to itself; its own later one is a wish.
        ctx.executor().execute(() -> automatic = false);
      }
    }
  }
}
