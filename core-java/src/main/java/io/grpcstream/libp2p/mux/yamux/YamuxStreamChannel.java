package io.grpcstream.libp2p.mux.yamux;

import io.grpcstream.libp2p.mux.StreamChannel;
import io.grpcstream.libp2p.text.DurationText;
import io.grpcstream.libp2p.util.EventLoops;
import io.netty.buffer.ByteBuf;
import io.netty.channel.AbstractChannel;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelPipeline;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.ChannelInputShutdownReadComplete;
import io.netty.channel.socket.ChannelOutputShutdownException;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.Promise;
import java.net.SocketAddress;
import java.nio.channels.AlreadyConnectedException;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One yamux stream as a Netty channel of {@code ByteBuf}s, on its connection's event loop. Every
 * method may be called from any thread; handlers run on the event loop.
 *
 * <ul>
 *   <li><b>Reading</b> follows {@code autoRead} and {@code read()} as on a socket. What is not read
 *       waits, at most one receive window of it, and its credit is not given back to the sender.
 *   <li><b>Writing</b>: the channel is unwritable while the other side gives no credit, and while
 *       more is pending than the high water mark. A write is complete when the connection has taken
 *       all of its bytes.
 *   <li>{@link #shutdownOutput()} sends FIN after everything that was written. When the other side
 *       has sent FIN and all its data was delivered, the channel closes once its pending writes are
 *       sent; with {@code ALLOW_HALF_CLOSURE} it fires Netty's input-shutdown events instead, and
 *       closes when both sides have finished.
 *   <li>{@link #close()} with nothing pending sends FIN, so that the other side can read all that
 *       was sent; with writes pending that cannot go out now, they fail and the stream is reset. To
 *       have them sent first, use {@link #expectEnd()} and {@link #shutdownOutput()}.
 *   <li>{@link #reset()} ends the stream in both directions at once. When the other side does it,
 *       the pipeline gets a {@link StreamResetException}, and a {@link ConnectionLostException}
 *       when the connection ends, before the channel becomes inactive.
 * </ul>
 *
 * <p>Addresses and {@link #parent()} are those of the connection.
 */
public final class YamuxStreamChannel extends AbstractChannel implements StreamChannel {
  private static final Logger log = LoggerFactory.getLogger(YamuxStreamChannel.class);
  private static final ChannelMetadata METADATA = new ChannelMetadata(false, 16);

  /**
   * Bytes that count as progress within {@code closeTimeout}. Fewer would let a peer hold much for
   * long, byte by byte; a reader gives credit for more than that at a time, see {@link
   * ReceiveWindow}.
   */
  private static final int MIN_PROGRESS = 16 * 1024;

  private final YamuxSession session;
  private final int streamId;
  private final boolean initiator;
  private final YamuxStreamConfig config;
  private final StreamInput input;
  private final StreamOutput output;
  private final Promise<Void> finished;

  /** Whether the sender's round robin knows the stream; changed by it alone. */
  boolean queuedToSend;

  /** Whether the stream is among those with {@link Arrivals} from this buffer; changed there. */
  boolean arrivalNoted;

  /** Whether the stream is among those whose reads are not complete; changed there. */
  boolean batchNoted;

  /** Whether the other side has acknowledged the stream; changed by the session alone. */
  boolean acknowledged;

  /** Whether the stream has ended and its id is forgotten; changed by the session alone. */
  boolean removed;

  private volatile boolean open = true;
  private boolean registering;
  private boolean closing;

  /** The stream ends without all of its data having been sent. */
  private boolean abandoned;

  private @Nullable Future<?> closeTimer;
  private long progressMark;
  private long progressNanos;

  YamuxStreamChannel(YamuxSession session, Channel parent, int streamId, boolean initiator) {
    super(parent);
    this.session = session;
    this.streamId = streamId;
    this.initiator = initiator;
    config = new YamuxStreamConfig(this);
    config.setAllocator(parent.alloc());
    input = new StreamInput(this, session);
    output = new StreamOutput(this, session, streamId);
    finished = parent.eventLoop().newPromise();
  }

  // ---- What users see

  /** The stream's number in the session: odd if the dialler opened it. */
  public long streamId() {
    return Integer.toUnsignedLong(streamId);
  }

  /** Whether this side opened the stream. */
  public boolean isInitiator() {
    return initiator;
  }

  /**
   * Completes on the event loop once both sides have ended the stream, or one has reset it. A
   * closed channel may be ahead of that: what it wrote may still be on its way until the other
   * side's FIN comes, for at most {@code closeTimeout}.
   */
  @Override
  public Future<Void> finished() {
    return finished;
  }

  /**
   * Ends the stream in both directions at once: what is pending fails, what was not yet read is
   * dropped, and the other side sees a reset. Does nothing if the stream has ended.
   */
  @Override
  public void reset() {
    onEventLoop(() -> abort(new StreamResetException(name() + " was reset locally", false), false));
  }

  /**
   * From now on the other side has to take what was written: 16 KiB in each {@code closeTimeout},
   * or the stream is reset. To be called when a close begins that shall send everything: the other
   * side cannot keep a stream that nobody wants any more by reading nothing.
   */
  @Override
  public void expectEnd() {
    onEventLoop(
        () -> {
          if (open && closeTimer == null) {
            startCloseTimer(this::onPeerReadsNothing);
          }
        });
  }

  private void onPeerReadsNothing() {
    String why =
        "%s was reset: closing, it waited for the peer to read, which took no %,d bytes in %s"
            .formatted(name(), MIN_PROGRESS, DurationText.of(session.config().closeTimeout()));
    log.debug("{}", why);
    abort(new StreamResetException(why, false), false);
  }

  @Override
  public YamuxStreamConfig config() {
    return config;
  }

  @Override
  public boolean isOpen() {
    return open;
  }

  @Override
  public boolean isActive() {
    return open && isRegistered();
  }

  @Override
  public ChannelMetadata metadata() {
    return METADATA;
  }

  @Override
  public boolean isInputShutdown() {
    return input.isShutdown() || !open;
  }

  @Override
  public boolean isOutputShutdown() {
    return output.isShutdown() || !open;
  }

  @Override
  public boolean isShutdown() {
    return isInputShutdown() && isOutputShutdown();
  }

  /** What waits and what arrives from now on is dropped, and its credit given back. */
  @Override
  public ChannelFuture shutdownInput() {
    return shutdownInput(newPromise());
  }

  @Override
  public ChannelFuture shutdownInput(ChannelPromise promise) {
    boolean done =
        onEventLoop(
            () -> {
              input.shutdown();
              promise.trySuccess();
            });
    if (!done) {
      promise.trySuccess();
    }
    return promise;
  }

  /**
   * Sends all that was written and then FIN; later writes fail. Completes when the connection has
   * taken the FIN over, which waits for the other side's credit.
   */
  @Override
  public ChannelFuture shutdownOutput() {
    return shutdownOutput(newPromise());
  }

  @Override
  public ChannelFuture shutdownOutput(ChannelPromise promise) {
    if (!onEventLoop(() -> output.shutdown(promise))) {
      promise.tryFailure(new ClosedChannelException());
    }
    return promise;
  }

  @Override
  public ChannelFuture shutdown() {
    return shutdown(newPromise());
  }

  @Override
  public ChannelFuture shutdown(ChannelPromise promise) {
    shutdownInput();
    return shutdownOutput(promise);
  }

  /** As ever, but does nothing where Netty would throw: when the event loop has ended. */
  @Override
  public Channel read() {
    try {
      return super.read();
    } catch (RejectedExecutionException e) {
      log.debug("{} ended with its event loop", this, e);
      return this;
    }
  }

  // ---- What the session sees

  StreamInput input() {
    return input;
  }

  StreamOutput output() {
    return output;
  }

  /** Registers with the connection's event loop, without the read that activation would issue. */
  void registerWith(EventLoop loop) {
    registering = true;
    loop.register(this);
    registering = false;
  }

  /** The handlers stand: issue the read that activation would have issued. */
  void startReading() {
    if (open && config.isAutoRead() && !input.isReadPending()) {
      read();
    }
  }

  /** The session has forgotten the stream. */
  void finish() {
    finished.trySuccess(null);
  }

  /** FIN has come. */
  void receiveFin() {
    input.receiveFin();
    if (!open && output.hasSentFin()) {
      session.remove(this);
    }
  }

  /** RST has come: the stream is over, and what was not yet delivered is lost. */
  void receiveReset() {
    session.remove(this);
    abort(new StreamResetException(name() + " was reset by the other side", true), true);
  }

  /**
   * Ends the stream for a cause that its pending writes fail with.
   *
   * @param tell whether the pipeline gets to see the cause
   */
  void abort(YamuxException cause, boolean tell) {
    if (!open) {
      session.reset(this);
      return;
    }
    abandoned = true;
    output.fail(cause);
    if (tell) {
      pipeline().fireExceptionCaught(cause);
    }
    ClosedChannelException closed = new ClosedChannelException();
    closed.initCause(cause);
    ((YamuxUnsafe) unsafe()).close(unsafe().voidPromise(), cause, closed);
  }

  // ---- What the two halves report

  /** The other side's data has been delivered, all of it. */
  void inputEnded() {
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
      if (closeTimer == null) { // Else the other side has had some of its time already.
        startCloseTimer(this::closeNow);
      }
      shutdownOutput();
    }
  }

  /** Both sides have finished, and everything is delivered: there is nothing left to stay for. */
  void closeIfFinished() {
    if (open && output.hasSentFin() && input.isEndDelivered()) {
      closeNow();
    }
  }

  /** Closes past the pipeline, as a socket does at the end of its input. */
  private void closeNow() {
    unsafe().close(unsafe().voidPromise());
  }

  void autoReadCleared() {
    onEventLoop(
        () -> {
          if (!config.isAutoRead()) {
            input.autoReadCleared();
          }
        });
  }

  // ---- What Netty asks for

  @Override
  protected void doBeginRead() {
    if (!registering) {
      input.beginRead();
    }
  }

  @Override
  protected Object filterOutboundMessage(Object message) throws ChannelOutputShutdownException {
    if (output.isShutdown()) {
      throw new ChannelOutputShutdownException(name() + ": output was shut down");
    }
    if (!(message instanceof ByteBuf)) {
      throw new UnsupportedOperationException(
          name() + " carries ByteBuf only, not " + message.getClass().getName());
    }
    return message;
  }

  @Override
  protected void doWrite(ChannelOutboundBuffer out) {
    output.flushed();
  }

  @Override
  protected void doClose() {
    open = false;
    input.close();
    cancelCloseTimer();
    boolean unknownToPeer = initiator && output.isUnannounced();
    if (removed || unknownToPeer || (output.hasSentFin() && input.hasReceivedFin())) {
      session.remove(this);
    } else if (abandoned) {
      session.reset(this);
    } else {
      if (!output.hasSentFin()) {
        output.sendFin();
      }
      if (input.hasReceivedFin()) {
        session.remove(this);
      } else {
        startCloseTimer(() -> session.reset(this));
      }
    }
    output.close();
  }

  /**
   * Runs {@code action} unless the other side makes progress: that gives it the same time again.
   * What waits for the connection, not for the other side's window, waits on: that the connection
   * goes on is the affair of {@link YamuxKeepAlive}.
   */
  private void startCloseTimer(Runnable action) {
    cancelCloseTimer();
    markProgress();
    scheduleCloseTimer(action, session.config().closeTimeout().toNanos());
  }

  private void scheduleCloseTimer(Runnable action, long nanos) {
    closeTimer =
        eventLoop()
            .schedule(
                () -> {
                  closeTimer = null;
                  long passed = session.now() - progressNanos;
                  long left = session.config().closeTimeout().toNanos() - passed;
                  if (left > 0) {
                    scheduleCloseTimer(action, left);
                  } else if (output.hasDataToSend()) {
                    startCloseTimer(action);
                  } else {
                    action.run();
                  }
                },
                nanos,
                TimeUnit.NANOSECONDS);
  }

  /** The other side's window has taken bytes, or it has given credit. */
  void progressed() {
    if (closeTimer != null && output.progress() - progressMark >= MIN_PROGRESS) {
      markProgress();
    }
  }

  private void markProgress() {
    progressMark = output.progress();
    progressNanos = session.now();
  }

  void cancelCloseTimer() {
    if (closeTimer != null) {
      closeTimer.cancel(false);
      closeTimer = null;
    }
  }

  private String name() {
    return "yamux: stream " + streamId();
  }

  /** Runs {@code action} on the event loop; false if that has ended, and the stream with it. */
  private boolean onEventLoop(Runnable action) {
    return EventLoops.run(eventLoop(), action);
  }

  @Override
  protected AbstractUnsafe newUnsafe() {
    return new YamuxUnsafe();
  }

  @Override
  protected DefaultChannelPipeline newChannelPipeline() {
    return new DefaultChannelPipeline(this) {
      @Override
      protected void onUnhandledInboundException(Throwable cause) {
        if (cause instanceof YamuxException) {
          // A peer can cause these at will: they must not fill the log.
          log.debug("{} ended", YamuxStreamChannel.this, cause);
        } else {
          super.onUnhandledInboundException(cause);
        }
      }
    };
  }

  @Override
  protected boolean isCompatible(EventLoop loop) {
    return loop == parent().eventLoop();
  }

  @Override
  protected SocketAddress localAddress0() {
    return parent().localAddress();
  }

  @Override
  protected SocketAddress remoteAddress0() {
    return parent().remoteAddress();
  }

  @Override
  protected void doBind(SocketAddress localAddress) {
    throw new UnsupportedOperationException(name() + " cannot be bound");
  }

  @Override
  protected void doDisconnect() {
    doClose();
  }

  private final class YamuxUnsafe extends AbstractUnsafe {
    @Override
    public void connect(SocketAddress remote, SocketAddress local, ChannelPromise promise) {
      safeSetFailure(promise, new AlreadyConnectedException());
    }

    @Override
    protected void close(
        ChannelPromise promise, Throwable cause, ClosedChannelException closeCause) {
      if (!closing) {
        closing = true;
        if (!abandoned && output.leavesPending()) {
          abandoned = true;
        }
      }
      super.close(promise, cause, closeCause);
    }
  }
}
