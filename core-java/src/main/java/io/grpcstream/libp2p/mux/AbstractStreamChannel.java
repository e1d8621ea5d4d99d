package io.grpcstream.libp2p.mux;

import io.grpcstream.libp2p.util.EventLoops;
import io.netty.buffer.ByteBuf;
import io.netty.channel.AbstractChannel;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.ChannelInputShutdownReadComplete;
import io.netty.channel.socket.ChannelOutputShutdownEvent;
import io.netty.channel.socket.ChannelOutputShutdownException;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.channels.AlreadyConnectedException;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One stream of a connection as a Netty channel of {@code ByteBuf}s, on its connection's event
 * loop: what does not depend on how the stream travels. Every method of a channel may be called
 * from any thread; handlers, and what subclasses implement, run on the event loop.
 *
 * <ul>
 *   <li><b>Reading</b> follows {@code autoRead} and {@code read()} as on a socket, see {@link
 *       StreamInput}.
 *   <li><b>Writing</b>: a write is complete when the layer below has taken all of its bytes.
 *   <li>{@link #shutdownOutput()} ends this side after everything that was written. When the other
 *       side has ended and all its data was delivered, the channel closes once its pending writes
 *       are sent; with {@code ALLOW_HALF_CLOSURE} it fires Netty's input-shutdown events instead,
 *       and closes when both sides have ended.
 *   <li>{@link #close()} with nothing pending ends this side, so that the other one can read all
 *       that was sent; with writes pending that cannot go out now, flushed or not, they fail and
 *       the stream is reset. To have them sent first, use {@link #expectEnd()} and {@link
 *       #shutdownOutput()}.
 *   <li>{@link #reset()} ends the stream in both directions at once. Of an end that is not this
 *       side's the pipeline gets the cause before the channel becomes inactive.
 * </ul>
 *
 * <p>Addresses, allocator and {@link #parent()} are those of the connection. Where this calls a
 * subclass, its own books are in order: code of users may run in there, and come back here.
 */
public abstract class AbstractStreamChannel extends AbstractChannel implements StreamChannel {
  private static final Logger log = LoggerFactory.getLogger(AbstractStreamChannel.class);
  private static final ChannelMetadata METADATA = new ChannelMetadata(false, 16);

  /** An index of the user-defined writability of {@link ChannelOutboundBuffer}. */
  private static final int NOT_SHUT_DOWN = 2;

  private final StreamChannelConfig config;
  private final HandedOverBytes handedOver = new HandedOverBytes(this);
  private final List<ChannelPromise> outputEnds = new ArrayList<>(1);

  private StreamState state = StreamState.OPEN;
  private volatile boolean open = true;

  /** The user writes nothing more; what was written may still have to be sent before the end. */
  private volatile boolean outputShutdown;

  private boolean closing;

  private volatile @Nullable IOException lossCause;

  /** A close hands over what is left, by which listeners of writes run. */
  private boolean flushingBeforeClose;

  /** A stream of the connection {@code parent}, open on both sides. */
  protected AbstractStreamChannel(Channel parent) {
    super(parent);
    config = new StreamChannelConfig(this);
    config.setAllocator(parent.alloc());
  }

  // ---- What differs

  /** The stream's name in messages. Any thread. */
  protected abstract String name();

  /** The receiving half. Any thread. */
  protected abstract StreamInput input();

  /** Whether the other side can be told now that this one has ended. */
  protected boolean mayEndOutput() {
    return true;
  }

  /** Tells the other side that this one has ended: all that was written is handed over. */
  protected abstract void sendEnd();

  /**
   * From now on the other side has to go on taking what was written, or {@code otherwise} runs.
   * Does nothing if that is so already: it has had some of its time.
   */
  protected abstract void expectProgress(Runnable otherwise);

  /** Hands over what is flushed, as far as that is possible now: the channel is closing. */
  protected abstract void flushBeforeClose();

  /**
   * The channel is closed, and the stream was not reset: what is left of its end takes its course.
   * If the other side has not been told of this side's end, use {@link #endOutputOfClosed()}.
   */
  protected abstract void onClosed();

  /** The channel is closed: what there is of the stream ends at once. May be called repeatedly. */
  protected abstract void resetNow();

  // ---- What users see

  @Override
  public final StreamChannelConfig config() {
    return config;
  }

  @Override
  public final ChannelMetadata metadata() {
    return METADATA;
  }

  @Override
  public final boolean isOpen() {
    return open;
  }

  /** From the start, also where another thread has still to register it: it is connected. */
  @Override
  public final boolean isActive() {
    return open;
  }

  @Override
  public final boolean isInputShutdown() {
    return input().isShutdown() || !open;
  }

  @Override
  public final boolean isOutputShutdown() {
    return outputShutdown || !open;
  }

  @Override
  public final boolean isShutdown() {
    return isInputShutdown() && isOutputShutdown();
  }

  @Override
  public final ChannelFuture shutdownInput(ChannelPromise promise) {
    onEventLoop(
        () -> {
          input().shutdown();
          promise.trySuccess();
          closeIfFinished();
        },
        promise);
    return promise;
  }

  @Override
  public final ChannelFuture shutdownOutput(ChannelPromise promise) {
    onEventLoop(() -> shutdownOutputNow(promise), promise);
    return promise;
  }

  @Override
  public final ChannelFuture shutdown(ChannelPromise promise) {
    shutdownInput();
    return shutdownOutput(promise);
  }

  @Override
  public final void reset() {
    onEventLoop(() -> abort(localReset(), false), null);
  }

  @Override
  public final @Nullable IOException lossCause() {
    return lossCause;
  }

  /** The failure of what was pending when this side reset the stream. */
  protected abstract IOException localReset();

  /** As ever, but does nothing where Netty would throw: when the event loop has ended. */
  @Override
  public final Channel read() {
    try {
      return super.read();
    } catch (RejectedExecutionException e) {
      log.debug("{} ended with its event loop", name(), e);
      return this;
    }
  }

  // ---- The states

  /** Where the stream is in its life; on the event loop. */
  protected final StreamState state() {
    EventLoops.assertOn(parent().eventLoop());
    return state;
  }

  /** What the layer below has taken over of what was written. */
  protected final HandedOverBytes handedOver() {
    return handedOver;
  }

  /** The other side has ended. A second time changes nothing. */
  protected final void remoteEnded() {
    state = state.endRemote();
  }

  private void shutdownOutputNow(ChannelPromise promise) {
    ChannelOutboundBuffer out = unsafe().outboundBuffer();
    if (out == null || state == StreamState.RESET) {
      promise.tryFailure(new ClosedChannelException());
    } else if (state.isLocalEnded()) {
      promise.trySuccess();
    } else {
      outputEnds.add(promise);
      if (!outputShutdown) {
        outputShutdown = true;
        out.setUserDefinedWritability(NOT_SHUT_DOWN, false);
        unsafe().flush();
        endOutputIfDue();
      }
    }
  }

  /** Tells the other side of this one's end, if it is to be told, and nothing stands before it. */
  protected final void endOutputIfDue() {
    if (!outputShutdown || !state.maySend() || !mayEndOutput()) {
      return;
    }
    ChannelOutboundBuffer out = unsafe().outboundBuffer();
    if (out != null && out.isEmpty()) {
      state = state.endLocal();
      sendEnd();
      List<ChannelPromise> promises = takeOutputEnds();
      promises.forEach(ChannelPromise::trySuccess);
      pipeline().fireUserEventTriggered(ChannelOutputShutdownEvent.INSTANCE);
      closeIfFinished();
    }
  }

  /** For a channel that was closed without {@link #shutdownOutput()}. */
  protected final void endOutputOfClosed() {
    if (state.maySend()) {
      state = state.endLocal();
      sendEnd();
    }
  }

  private List<ChannelPromise> takeOutputEnds() {
    List<ChannelPromise> promises = List.copyOf(outputEnds);
    outputEnds.clear();
    return promises;
  }

  /** The other side's data has been delivered, all of it. */
  final void inputEnded() {
    if (config.isAllowHalfClosure()) {
      pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
      pipeline().fireUserEventTriggered(ChannelInputShutdownReadComplete.INSTANCE);
      closeIfFinished();
      return;
    }
    ChannelOutboundBuffer out = unsafe().outboundBuffer();
    if (out == null || out.totalPendingWriteBytes() == 0) {
      closeNow();
    } else {
      expectProgress(this::closeNow);
      shutdownOutput();
    }
  }

  /** Both sides have ended, and everything is delivered: there is nothing left to stay for. */
  final void closeIfFinished() {
    if (open && state == StreamState.CLOSED && input().isFinished()) {
      closeNow();
    }
  }

  /** Closes past the pipeline, as a socket does at the end of its input. */
  private void closeNow() {
    unsafe().close(unsafe().voidPromise());
  }

  /**
   * Ends the stream in both directions at once, for a cause that its pending writes fail with.
   *
   * @param tell whether the pipeline gets to see the cause
   */
  protected final void abort(IOException cause, boolean tell) {
    if (open) {
      state = state.reset();
      if (tell && lossCause == null) {
        lossCause = cause;
      }
      handedOver.failRest(cause);
      if (tell) {
        pipeline().fireExceptionCaught(cause);
      }
      ClosedChannelException closed = new ClosedChannelException();
      closed.initCause(cause);
      ((StreamUnsafe) unsafe()).close(unsafe().voidPromise(), cause, closed);
    }
    resetClosed(); // Also where both sides have ended: the layer below may still hold something.
  }

  /** Resets what is left of a stream whose channel is closed. */
  protected final void resetClosed() {
    state = state.reset();
    resetNow();
  }

  final void autoReadCleared() {
    if (isRegistered()) { // Else nothing can have been asked for yet.
      onEventLoop(
          () -> {
            if (!config.isAutoRead()) {
              input().autoReadCleared();
            }
          },
          null);
    }
  }

  /** Runs {@code action} on the event loop, unless that has ended, and the stream with it. */
  protected final void onEventLoop(Runnable action) {
    onEventLoop(action, null);
  }

  /** Runs {@code action} on the event loop; if that has ended, {@code promise} fails instead. */
  private void onEventLoop(Runnable action, @Nullable ChannelPromise promise) {
    if (!EventLoops.run(eventLoop(), action) && promise != null) {
      ClosedChannelException closed = new ClosedChannelException();
      closed.initCause(new RejectedExecutionException(name() + ": its event loop has ended"));
      promise.tryFailure(closed);
    }
  }

  // ---- What Netty asks for

  @Override
  protected void doBeginRead() {
    input().beginRead();
  }

  @Override
  protected final Object filterOutboundMessage(Object message)
      throws ChannelOutputShutdownException {
    if (outputShutdown) {
      throw new ChannelOutputShutdownException(name() + ": output was shut down");
    }
    if (!(message instanceof ByteBuf)) {
      throw new UnsupportedOperationException(
          name() + " carries ByteBuf only, not " + message.getClass().getName());
    }
    return message;
  }

  @Override
  protected final void doClose() {
    open = false;
    input().close();
    if (state == StreamState.RESET) {
      resetNow();
    } else {
      onClosed();
    }
    // An end that was asked for was not told as asked.
    takeOutputEnds().forEach(promise -> promise.tryFailure(new ClosedChannelException()));
  }

  @Override
  protected final void doDisconnect() {
    doClose();
  }

  @Override
  protected final void doBind(SocketAddress localAddress) {
    throw new UnsupportedOperationException(name() + " cannot be bound");
  }

  @Override
  protected final boolean isCompatible(EventLoop loop) {
    return loop == parent().eventLoop();
  }

  @Override
  protected final SocketAddress localAddress0() {
    return parent().localAddress();
  }

  @Override
  protected final SocketAddress remoteAddress0() {
    return parent().remoteAddress();
  }

  @Override
  protected final StreamPipeline newChannelPipeline() {
    return new StreamPipeline(this);
  }

  @Override
  protected final AbstractUnsafe newUnsafe() {
    return new StreamUnsafe();
  }

  /** Hands over what is flushed, as Netty does by itself whenever something more is flushed. */
  protected final void resumeWrite() {
    ((StreamUnsafe) unsafe()).resumeWrite();
  }

  private final class StreamUnsafe extends AbstractUnsafe {
    @Override
    public void connect(SocketAddress remote, SocketAddress local, ChannelPromise promise) {
      safeSetFailure(promise, new AlreadyConnectedException());
    }

    void resumeWrite() {
      flush0();
    }

    /** What was written and cannot be sent is lost: the other side must not take it for the end. */
    @Override
    protected void close(
        ChannelPromise promise, Throwable cause, ClosedChannelException closeCause) {
      if (flushingBeforeClose && state != StreamState.RESET) {
        if (!promise.isVoid()) { // The close that is under way comes to its end first.
          closeFuture().addListener(closed -> promise.trySuccess());
        }
        return;
      }
      if (!closing) {
        closing = true;
        if (state != StreamState.RESET) {
          flushAll();
        }
      }
      super.close(promise, cause, closeCause);
    }

    private void flushAll() {
      flushingBeforeClose = true;
      try {
        flushBeforeClose();
        if (handedOver.leavesPending()) {
          state = state.reset();
        }
      } finally {
        flushingBeforeClose = false;
      }
    }
  }
}
