package io.grpcstream.libp2p.mux.yamux;

import io.netty.buffer.ByteBuf;
import io.netty.channel.AbstractChannel;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelPipeline;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.ChannelInputShutdownReadComplete;
import io.netty.channel.socket.ChannelOutputShutdownEvent;
import io.netty.channel.socket.ChannelOutputShutdownException;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.concurrent.Future;
import java.net.SocketAddress;
import java.nio.channels.AlreadyConnectedException;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;
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
 *       was sent; with writes pending that cannot go out now, they fail and the stream is reset.
 *   <li>{@link #reset()} ends the stream in both directions at once. When the other side does it,
 *       the pipeline gets a {@link StreamResetException}, and a {@link ConnectionLostException}
 *       when the connection ends, before the channel becomes inactive.
 * </ul>
 *
 * <p>Addresses and {@link #parent()} are those of the connection.
 */
public final class YamuxStreamChannel extends AbstractChannel implements DuplexChannel {
  private static final Logger log = LoggerFactory.getLogger(YamuxStreamChannel.class);
  private static final ChannelMetadata METADATA = new ChannelMetadata(false, 16);

  /** Indices of the user-defined writability of {@link ChannelOutboundBuffer}. */
  private static final int HAS_WINDOW = 1;

  private static final int OUTPUT_OPEN = 2;

  private final YamuxSession session;
  private final int streamId;
  private final boolean initiator;
  private final YamuxStreamConfig config;
  private final SendWindow sendWindow = new SendWindow();
  private final ReceiveWindow receiveWindow;
  private final ReceiveQueue received;
  private final List<ChannelPromise> finPromises = new ArrayList<>(1);

  // What the session's queues know of this stream; they alone change these.
  boolean queuedToSend;
  boolean queuedToRead;
  boolean arrivalNoted;
  boolean removed;
  boolean acknowledged;

  private volatile boolean open = true;
  private volatile boolean inputShutdown;
  private volatile boolean finRequested;
  private boolean unannounced = true;
  private boolean finSent;
  private boolean finReceived;
  private boolean endDelivered;
  private boolean abandoned;
  private boolean closing;

  private boolean registering;
  private boolean readPending;
  private boolean readTaskScheduled;
  private boolean delivering;
  private boolean inBatch;
  private boolean batchFull;

  /** Bytes at the head of the outbound buffer that the connection has taken over. */
  private int handedOver;

  private @Nullable Future<?> closeTimer;

  YamuxStreamChannel(YamuxSession session, Channel parent, int streamId, boolean initiator) {
    super(parent);
    this.session = session;
    this.streamId = streamId;
    this.initiator = initiator;
    this.config = new YamuxStreamConfig(this);
    config.setAllocator(parent.alloc());
    receiveWindow = session.newReceiveWindow();
    received = new ReceiveQueue(parent.alloc());
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
   * Ends the stream in both directions at once: what is pending fails, what was not yet read is
   * dropped, and the other side sees a reset. Does nothing if the stream has ended.
   */
  public void reset() {
    onEventLoop(() -> abort(new StreamResetException(name() + " was reset locally", false), true));
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
    return inputShutdown || !open;
  }

  @Override
  public boolean isOutputShutdown() {
    return finRequested || !open;
  }

  @Override
  public boolean isShutdown() {
    return isInputShutdown() && isOutputShutdown();
  }

  /** What arrives from now on is dropped, and its credit given back. */
  @Override
  public ChannelFuture shutdownInput() {
    return shutdownInput(newPromise());
  }

  @Override
  public ChannelFuture shutdownInput(ChannelPromise promise) {
    onEventLoop(
        () -> {
          inputShutdown = true;
          for (ByteBuf rest = received.poll(); rest != null; rest = received.poll()) {
            receiveWindow.delivered(rest.readableBytes());
            rest.release();
          }
          giveCredit();
          promise.trySuccess();
        });
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
    onEventLoop(() -> shutdownOutput0(promise));
    return promise;
  }

  @Override
  public ChannelFuture shutdown() {
    return shutdown(newPromise());
  }

  @Override
  public ChannelFuture shutdown(ChannelPromise promise) {
    shutdownInput().addListener(ignored -> shutdownOutput(promise));
    return promise;
  }

  // ---- Receiving: called by the session

  ReceiveWindow receiveWindow() {
    return receiveWindow;
  }

  boolean hasReceivedFin() {
    return finReceived;
  }

  /** The next {@code bytes} of {@code in}, within the window, belong to this stream. */
  void receive(ByteBuf in, int bytes) {
    receiveWindow.received(bytes);
    if (!open || inputShutdown) {
      in.skipBytes(bytes);
      receiveWindow.delivered(bytes);
      if (open) {
        giveCredit();
      }
      return;
    }
    received.add(in.readRetainedSlice(bytes));
  }

  /** FIN: nothing more will arrive. A second one changes nothing. */
  void receiveFin() {
    finReceived = true;
    if (!open && finSent) {
      session.remove(this);
    }
  }

  /** RST: the stream is over, and what was not yet delivered is lost. */
  void receiveReset() {
    session.remove(this);
    abort(new StreamResetException(name() + " was reset by the other side", true), false);
  }

  /** Registers with the connection's event loop, without the read that activation would issue. */
  void registerWith(EventLoop loop) {
    registering = true;
    loop.register(this);
    registering = false;
  }

  /** The handlers stand: issue the read that activation would have. */
  void startReading() {
    if (open && config.isAutoRead() && !readPending) {
      read();
    }
  }

  /**
   * Delivers what waits, as far as the pipeline has asked for it; {@link #endBatch} must follow.
   */
  void deliver() {
    if (delivering || !open || (!inBatch && !readPending)) {
      return;
    }
    delivering = true;
    try {
      var handle = unsafe().recvBufAllocHandle();
      for (ByteBuf next = nextToDeliver(); next != null; next = nextToDeliver()) {
        int bytes = next.readableBytes();
        receiveWindow.delivered(bytes);
        handle.attemptedBytesRead(bytes);
        handle.lastBytesRead(bytes);
        handle.incMessagesRead(1);
        pipeline().fireChannelRead(next);
        batchFull = !handle.continueReading();
      }
    } finally {
      delivering = false;
    }
    giveCredit();
  }

  private @Nullable ByteBuf nextToDeliver() {
    var handle = unsafe().recvBufAllocHandle();
    if (!open || received.isEmpty()) {
      return null;
    }
    if (!inBatch) {
      handle.reset(config);
      inBatch = true;
      batchFull = false;
      readPending = false;
    }
    return batchFull ? null : received.poll();
  }

  /** Makes what was not delivered fit to wait; see {@link ReceiveQueue#settle}. */
  void settle(int pinnedBytes) {
    received.settle(pinnedBytes);
  }

  /** The end of what this turn delivers: read-complete, and the end of input if it is reached. */
  void endBatch() {
    if (inBatch) {
      inBatch = false;
      unsafe().recvBufAllocHandle().readComplete();
      pipeline().fireChannelReadComplete();
    }
    if (open && finReceived && !endDelivered && readPending && received.isEmpty()) {
      deliverEnd();
    } else if (readPending && !received.isEmpty()) {
      scheduleRead();
    }
  }

  private void deliverEnd() {
    endDelivered = true;
    readPending = false;
    if (config.isAllowHalfClosure()) {
      inputShutdown = true;
      pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
      pipeline().fireUserEventTriggered(ChannelInputShutdownReadComplete.INSTANCE);
      closeIfFinished();
      return;
    }
    ChannelOutboundBuffer out = unsafe().outboundBuffer();
    if (out == null || out.totalPendingWriteBytes() == 0) {
      closeNow();
    } else {
      startCloseTimer(this::closeNow);
      shutdownOutput();
    }
  }

  private void closeIfFinished() {
    if (open && finSent && endDelivered) {
      closeNow();
    }
  }

  /** Closes past the pipeline, as a socket does at the end of its input. */
  private void closeNow() {
    unsafe().close(unsafe().voidPromise());
  }

  private void giveCredit() {
    if (!finReceived && !removed) {
      int credit = session.creditDue(receiveWindow);
      if (credit > 0) {
        session.sendWindowUpdate(streamId, takeAnnouncement(), credit);
      }
    }
  }

  void autoReadCleared() {
    onEventLoop(
        () -> {
          if (!config.isAutoRead()) {
            readPending = false;
          }
        });
  }

  @Override
  protected void doBeginRead() {
    if (registering) {
      return;
    }
    readPending = true;
    if (!inBatch && (finReceived || !received.isEmpty())) {
      scheduleRead();
    }
  }

  private void scheduleRead() {
    if (!readTaskScheduled) {
      readTaskScheduled = true;
      eventLoop()
          .execute(
              () -> {
                readTaskScheduled = false;
                deliver();
                endBatch();
              });
    }
  }

  // ---- Sending: called by the sender and the session

  /** Whether the round robin has something to do for this stream. */
  boolean hasDataToSend() {
    ChannelOutboundBuffer out = unsafe().outboundBuffer();
    return open && out != null && !out.isEmpty() && sendWindow.available() > 0;
  }

  /** Sends one data frame of what is flushed; returns its payload bytes. */
  int sendFrame(ChannelHandlerContext ctx, FrameGatherer gatherer) {
    if (gatherer.isBusy() || !hasDataToSend()) {
      return 0;
    }
    ChannelOutboundBuffer out = unsafe().outboundBuffer();
    int bytes = gatherer.gather(out, session.frameLimit(sendWindow.available()));
    boolean fin = false;
    if (bytes > 0) {
      fin = finRequested && gatherer.gatheredEverything();
      int flags = takeAnnouncement() | (fin ? YamuxHeader.FIN : 0);
      finSent |= fin;
      sendWindow.consume(bytes);
      if (sendWindow.available() == 0) {
        out.setUserDefinedWritability(HAS_WINDOW, false);
      }
      handedOver = bytes;
      gatherer.write(ctx, flags, streamId);
    }
    completeHandedOver();
    if (fin) {
      finHandedOver();
    } else {
      sendFinIfDue();
    }
    return bytes;
  }

  /**
   * Takes what the connection has taken over out of the outbound buffer, and completes its writes.
   * The listeners may do anything, also close the channel, which comes back here first.
   */
  private void completeHandedOver() {
    for (; ; ) {
      ChannelOutboundBuffer out = unsafe().outboundBuffer();
      if (out == null || !(out.current() instanceof ByteBuf head)) {
        return;
      }
      int readable = head.readableBytes();
      if (readable > handedOver) {
        int part = handedOver;
        handedOver = 0;
        if (part > 0) {
          head.skipBytes(part);
          out.progress(part);
        }
        return;
      }
      handedOver -= readable;
      out.progress(readable);
      out.remove();
    }
  }

  /** The other side gives credit; false if the window would overflow. */
  boolean receiveCredit(long bytes) {
    boolean wasEmpty = sendWindow.available() == 0;
    if (!sendWindow.grant(bytes)) {
      return false;
    }
    ChannelOutboundBuffer out = unsafe().outboundBuffer();
    if (wasEmpty && bytes > 0 && open && out != null) {
      out.setUserDefinedWritability(HAS_WINDOW, true);
      if (!out.isEmpty()) {
        session.readyToSend(this);
      }
    }
    return true;
  }

  /** SYN or ACK for the first frame of this stream, nothing for the others. */
  private int takeAnnouncement() {
    if (!unannounced) {
      return 0;
    }
    unannounced = false;
    session.announced(this);
    return initiator ? YamuxHeader.SYN : YamuxHeader.ACK;
  }

  boolean isUnannounced() {
    return unannounced;
  }

  /** Sends SYN or ACK in a frame of their own, if no frame has carried them. */
  void sendAnnouncement() {
    if (open && unannounced) {
      session.sendWindowUpdate(streamId, takeAnnouncement(), 0);
    }
  }

  @Override
  protected Object filterOutboundMessage(Object message) throws ChannelOutputShutdownException {
    if (finRequested) {
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
    completeHandedOver();
    if (hasDataToSend()) {
      session.readyToSend(this);
    }
  }

  private void shutdownOutput0(ChannelPromise promise) {
    if (!open) {
      promise.tryFailure(new ClosedChannelException());
      return;
    }
    if (finSent) {
      promise.trySuccess();
      return;
    }
    finPromises.add(promise);
    if (!finRequested) {
      finRequested = true;
      unsafe().outboundBuffer().setUserDefinedWritability(OUTPUT_OPEN, false);
      unsafe().flush();
      sendFinIfDue();
    }
  }

  private void sendFinIfDue() {
    ChannelOutboundBuffer out = unsafe().outboundBuffer();
    if (open && finRequested && !finSent && out != null && out.isEmpty()) {
      sendFin();
      finHandedOver();
    }
  }

  private void sendFin() {
    finSent = true;
    session.sendWindowUpdate(streamId, takeAnnouncement() | YamuxHeader.FIN, 0);
  }

  private void finHandedOver() {
    List<ChannelPromise> promises = List.copyOf(finPromises);
    finPromises.clear();
    promises.forEach(ChannelPromise::trySuccess);
    pipeline().fireUserEventTriggered(ChannelOutputShutdownEvent.INSTANCE);
    closeIfFinished();
  }

  // ---- Ending

  /** Ends the stream for a cause that its pipeline and its pending writes get to see. */
  void abort(YamuxException cause, boolean local) {
    if (!open) {
      session.reset(this);
      return;
    }
    completeHandedOver();
    abandoned = true;
    ChannelOutboundBuffer out = unsafe().outboundBuffer();
    while (out != null && out.remove(cause)) {
      out = unsafe().outboundBuffer();
    }
    if (!local) {
      pipeline().fireExceptionCaught(cause);
    }
    ((YamuxUnsafe) unsafe()).close(cause);
  }

  /** Sends what can be sent now; true if something is left that cannot. */
  private boolean leavesPending() {
    session.sendNow(this);
    completeHandedOver();
    ChannelOutboundBuffer out = unsafe().outboundBuffer();
    if (out == null) {
      return false;
    }
    out.addFlush();
    completeHandedOver();
    return !out.isEmpty();
  }

  @Override
  protected void doClose() {
    open = false;
    received.clear();
    cancelCloseTimer();
    List<ChannelPromise> promises = List.copyOf(finPromises);
    finPromises.clear();
    if (removed || (finSent && finReceived) || (unannounced && initiator)) {
      session.remove(this);
    } else if (abandoned) {
      session.reset(this);
    } else {
      if (!finSent) {
        sendFin();
      }
      if (finReceived) {
        session.remove(this);
      } else {
        startCloseTimer(() -> session.reset(this));
      }
    }
    promises.forEach(promise -> promise.tryFailure(new ClosedChannelException()));
  }

  private void startCloseTimer(Runnable action) {
    cancelCloseTimer();
    long nanos = session.config().closeTimeout().toNanos();
    closeTimer = eventLoop().schedule(action, nanos, TimeUnit.NANOSECONDS);
  }

  void cancelCloseTimer() {
    if (closeTimer != null) {
      closeTimer.cancel(false);
      closeTimer = null;
    }
  }

  // ---- The rest of a channel

  private String name() {
    return "yamux: stream " + streamId();
  }

  private void onEventLoop(Runnable action) {
    if (eventLoop().inEventLoop()) {
      action.run();
    } else {
      eventLoop().execute(action);
    }
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

    void close(YamuxException cause) {
      ClosedChannelException closed = new ClosedChannelException();
      closed.initCause(cause);
      close(voidPromise(), cause, closed);
    }

    @Override
    protected void close(
        ChannelPromise promise, Throwable cause, ClosedChannelException closeCause) {
      if (!closing) {
        closing = true;
        abandoned = abandoned || leavesPending();
      }
      super.close(promise, cause, closeCause);
    }
  }
}
