package io.grpcstream.libp2p.foreign;

import io.grpcstream.libp2p.stream.ReadGate;
import io.grpcstream.libp2p.util.EventLoops;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.PendingWriteQueue;
import io.netty.util.concurrent.ScheduledFuture;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Holds what is written to a channel of another stack, between the moment at which the stack
 * reports the stream and the one from which the channel's pipeline is its user's. In between, the
 * stack's own negotiation may still stand there, and its codecs would take a user's bytes for
 * messages. Add it as the last handler; those of the user come behind it.
 *
 * <p>What ends the holding is the first of:
 *
 * <ul>
 *   <li>{@code channelActive} passes here: a stack fires it once it has cleared the pipeline;
 *   <li>the event loop has finished what it was doing when this was added, and the channel is
 *       active: then the activation has passed before, and the callback that reports the stream has
 *       returned. Except while handlers of jvm-libp2p's negotiation are there, as they are until
 *       its end: who adds this earlier than in its callback waits with them.
 *   <li>{@value #SECONDS} seconds have passed: the channel fails, and is closed.
 * </ul>
 *
 * <p>Then what was written goes out in its order, and this removes itself. What is held counts as
 * pending in the channel, which so becomes unwritable. {@code close} is not held: it drops what is.
 *
 * <p>Bytes that came with the end of the negotiation are passed on; but if {@code autoRead} is off
 * by then, they wait for the first {@code read()}, which turning it on causes, too.
 */
final class ActivationGate extends ChannelDuplexHandler {
  /** How long a channel may take to become its user's, in seconds; jvm-libp2p's own limit is 10. */
  static final int SECONDS = 30;

  private static final String NEGOTIATION_OF_JVM_LIBP2P = "io.libp2p.multistream.";

  private enum State {
    HOLDING,
    /** What was held is going out; what is written meanwhile queues up behind it. */
    SENDING,
    DONE
  }

  private final String errorPrefix;
  private final boolean readsToo;
  private final List<ChannelPromise> disconnects = new ArrayList<>(1);
  private final List<Runnable> afterwards = new ArrayList<>(1);
  private State state = State.HOLDING;
  private boolean flushWanted;
  private @Nullable PendingWriteQueue writes;
  private @Nullable ReadGate reads;
  private @Nullable ScheduledFuture<?> deadline;

  private ActivationGate(String errorPrefix, boolean readsToo) {
    this.errorPrefix = errorPrefix;
    this.readsToo = readsToo;
  }

  /**
   * Adds one to {@code channel}, unless the channel is its user's for sure, being active and
   * without handlers.
   *
   * @param errorPrefix what the text of an error begins with
   * @param readsToo whether bytes must not arrive while {@code autoRead} is off
   */
  static void addTo(Channel channel, String errorPrefix, boolean readsToo) {
    if (!channel.isActive() || channel.pipeline().firstContext() != null) {
      channel.pipeline().addLast(new ActivationGate(errorPrefix, readsToo));
    }
  }

  /**
   * Runs {@code task} once nothing is held: at once, or after what was written has been passed on.
   * It does not run if the channel ends before that. Must be called on the event loop.
   *
   * @return whether it has to wait
   */
  static boolean defer(Channel channel, Runnable task) {
    ActivationGate holder = channel.pipeline().get(ActivationGate.class);
    boolean held = holder != null && holder.state != State.DONE;
    if (held) {
      holder.afterwards.add(task);
    }
    return held;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    if (!ctx.channel().isOpen()) {
      state = State.DONE; // What is written fails by itself.
      return;
    }
    writes = new PendingWriteQueue(ctx);
    if (!EventLoops.runLater(ctx.executor(), () -> turnEnded(ctx))) {
      ctx.close(); // The event loop is ending, and the channel with it.
    }
  }

  private void turnEnded(ChannelHandlerContext ctx) {
    if (state != State.HOLDING) {
      return;
    }
    if (ctx.channel().isActive() && !isNegotiating(ctx)) {
      handOver(ctx);
      releaseReads();
    } else {
      deadline = ctx.executor().schedule(() -> overdue(ctx), SECONDS, TimeUnit.SECONDS);
    }
  }

  private static boolean isNegotiating(ChannelHandlerContext ctx) {
    return ctx.pipeline().toMap().values().stream()
        .anyMatch(h -> h.getClass().getName().startsWith(NEGOTIATION_OF_JVM_LIBP2P));
  }

  private void overdue(ChannelHandlerContext ctx) {
    if (state != State.HOLDING) {
      return;
    }
    IOException cause =
        new IOException(
            errorPrefix + "its stack has not activated its channel within " + SECONDS + " seconds");
    ctx.fireExceptionCaught(cause); // First: of the writes' failures nobody may be told.
    fail(cause);
    ctx.close();
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    handOver(ctx);
    ctx.fireChannelActive();
    releaseReads();
  }

  private void handOver(ChannelHandlerContext ctx) {
    if (state != State.HOLDING || writes == null) {
      return;
    }
    state = State.SENDING;
    cancelDeadline();
    if (readsToo && !ctx.channel().config().isAutoRead()) {
      holdReads(ctx);
    }
    writes.removeAndWriteAll();
    state = State.DONE;
    if (flushWanted) {
      ctx.flush();
    }
    disconnects.forEach(ctx::disconnect);
    if (!ctx.isRemoved()) {
      ctx.pipeline().remove(this);
    }
    afterwards.forEach(Runnable::run);
  }

  private ReadGate holdReads(ChannelHandlerContext ctx) {
    ReadGate held = reads;
    if (held == null) {
      held = ReadGate.inbound();
      reads = held;
      ctx.pipeline().addAfter(ctx.name(), null, held);
    }
    return held;
  }

  private void releaseReads() {
    if (reads != null) {
      reads.handled();
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (readsToo && state == State.HOLDING) {
      holdReads(ctx);
    }
    ctx.fireChannelRead(message);
  }

  @Override
  public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
    if (state == State.DONE || writes == null) {
      ctx.write(message, promise);
    } else {
      writes.add(message, promise);
    }
  }

  @Override
  public void flush(ChannelHandlerContext ctx) {
    if (state == State.DONE) {
      ctx.flush();
    } else {
      flushWanted = true;
    }
  }

  @Override
  public void disconnect(ChannelHandlerContext ctx, ChannelPromise promise) {
    if (state == State.DONE) {
      ctx.disconnect(promise);
    } else {
      disconnects.add(promise);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    fail(new ClosedChannelException());
    ctx.fireChannelInactive();
  }

  /** By somebody else, or with the pipeline of a channel that has ended. */
  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    if (state == State.HOLDING && ctx.channel().isOpen()) {
      handOver(ctx);
      releaseReads();
    } else {
      fail(new ClosedChannelException());
    }
  }

  private void fail(Exception cause) {
    if (state != State.HOLDING) {
      return;
    }
    state = State.DONE;
    cancelDeadline();
    if (writes != null) {
      writes.removeAndFailAll(cause);
    }
    disconnects.forEach(promise -> promise.tryFailure(cause));
  }

  private void cancelDeadline() {
    if (deadline != null) {
      deadline.cancel(false);
    }
  }
}
