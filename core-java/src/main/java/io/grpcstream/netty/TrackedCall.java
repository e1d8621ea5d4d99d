package io.grpcstream.netty;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Deadline;
import io.grpc.ForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.InternalClientCalls;
import io.grpc.stub.InternalClientCalls.StubType;
import io.netty.channel.EventLoop;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One call over a stream, from its start to the moment when its user hears of its end.
 *
 * <p>While the stream lasts, gRPC does all there is to do. After it, gRPC still hands out what has
 * arrived as the user asks for it, but no longer acts on a cancellation or a deadline: the handler
 * that would is gone from the pipeline. {@link #giveUp} is the way to end the call then: all
 * messages are taken out, on their way to the call's executor; those that the user has asked for by
 * the time they get there are delivered, the others are dropped, and a call that has lost any does
 * not end with OK.
 *
 * <p>Failures that the peer's service has not sent itself name the peer and why its stream ended.
 */
final class TrackedCall<Q, R> extends ForwardingClientCall<Q, R> {
  private static final Logger log = LoggerFactory.getLogger(TrackedCall.class);

  /** How gRPC begins that part of the text of a deadline that was exceeded while a call waited. */
  private static final String LAST_PICK = ", Last Pick Failure=";

  private final CallTracker owner;
  private final CallOptions options;
  private final CallTrace trace;
  private final Context context = Context.current();
  private final Context.CancellationListener contextListener =
      cancelled -> giveUp(Contexts.statusFromCancelled(cancelled));

  /** How many more messages the user takes. */
  private final AtomicLong wanted = new AtomicLong();

  /** The status in place of what was dropped; null while nothing is. */
  private final AtomicReference<@Nullable Status> givenUp = new AtomicReference<>();

  /** The stream that the latest attempt is on; null before there is one. */
  private volatile @Nullable StreamCalls on;

  private final Object moving = new Object();

  private volatile ClientCall<Q, R> delegate;
  private volatile @Nullable EndListener listener;
  private volatile boolean started;
  private volatile boolean closed;
  private volatile @Nullable Status cancelled;
  private volatile @Nullable Status refused;
  private volatile @Nullable Future<?> deadlineTimer;

  /**
   * A call that gRPC makes.
   *
   * @param make makes it, given what is to be told when gRPC forgets the call
   */
  TrackedCall(
      CallTracker owner,
      Function<Consumer<RejectedExecutionException>, ClientCall<Q, R>> make,
      CallOptions options,
      CallTrace trace) {
    this.owner = owner;
    this.options = options;
    this.trace = trace;
    delegate = make.apply(this::forgotten);
  }

  @Override
  protected ClientCall<Q, R> delegate() {
    return delegate;
  }

  /** The channel may have ended since the call was made: what counts is the moment of the start. */
  @Override
  public void start(Listener<R> listener, Metadata headers) {
    StreamCalls only = owner.onlyStream();
    boolean inTime = owner.add(this) && (only == null || join(only));
    Status late = wouldBlockItself() ? blocked() : owner.refusal();
    if (late == null && !inTime) {
      late = owner.overStatus();
    }
    if (late != null) {
      leave();
      delegate = new FailingCall<>(late, options.getExecutor());
      delegate.start(listener, headers);
      return;
    }
    if (only == null) {
      trace.onStream(this::moveTo);
    }
    EndListener ends = new EndListener(listener);
    if (!started) {
      this.listener = ends;
    }
    try {
      delegate.start(ends, headers);
    } catch (RuntimeException | Error e) {
      if (!started) { // Else it is a second start of a call that goes on.
        leave();
      }
      throw e;
    }
    started = true;
    if (givenUp.get() != null) {
      takeAll();
    }
    if (refused != null) {
      cancelRefused();
    }
  }

  private boolean join(StreamCalls stream) {
    on = stream;
    return stream.add(this);
  }

  /**
   * An attempt of the call, its first, a retry or a hedge, has got a stream; or the one that is on
   * this stream has won.
   */
  private void moveTo(StreamCalls stream) {
    boolean inTime;
    synchronized (moving) { // Hedges are on several event loops.
      StreamCalls before = on;
      if (before == stream) {
        return;
      }
      if (before != null) {
        before.remove(this);
        forgetTimers();
      }
      inTime = join(stream);
    }
    if (!inTime) {
      streamEnded(stream.end().stream().channel().eventLoop());
    }
    if (closed) { // An attempt that was being made while the call was cancelled.
      stream.remove(this);
      forgetTimers();
    }
  }

  /** The user hears of the end: nothing keeps the call any longer. */
  private void leave() {
    StreamCalls stream = on;
    if (stream != null) {
      stream.remove(this);
    }
    owner.remove(this);
  }

  /** A blocking stub waits on the thread that would have to read the response. */
  private boolean wouldBlockItself() {
    return isBlocking() && owner.isOnEventLoop();
  }

  /** Blocking stubs say so in the options, or bring an executor that runs nothing by itself. */
  private boolean isBlocking() {
    Executor executor = options.getExecutor();
    boolean hasType = options.getOption(InternalClientCalls.getStubTypeOption()) != null;
    return (hasType && InternalClientCalls.getStubType(options) == StubType.BLOCKING)
        || (executor != null && executor.getClass().getEnclosingClass() == ClientCalls.class);
  }

  private Status blocked() {
    return Status.FAILED_PRECONDITION.withDescription(
        owner.target()
            + ": a blocking stub was called on an event loop, which would wait for itself for ever; use an asynchronous stub, or leave the event loop first"
            + " (thenApplyAsync in place of thenApply, an executor in place of directExecutor)");
  }

  @Override
  public void request(int messages) {
    wanted.addAndGet(messages);
    if (givenUp.get() == null) {
      super.request(messages);
    }
  }

  @Override
  public void sendMessage(Q message) {
    try {
      super.sendMessage(message);
    } catch (IllegalStateException e) {
      throwUnlessEnded(e);
    }
  }

  @Override
  public void halfClose() {
    try {
      super.halfClose();
    } catch (IllegalStateException e) {
      throwUnlessEnded(e);
    }
  }

  /** A call that was given up or refused was cancelled for gRPC, which allows no more sending. */
  private void throwUnlessEnded(IllegalStateException e) {
    if (givenUp.get() == null && refused == null) {
      throw e;
    }
    log.debug("{}: a call that is over sends no more", owner.target(), e);
  }

  @Override
  public void cancel(@Nullable String message, @Nullable Throwable cause) {
    Status status = Status.CANCELLED.withDescription(message).withCause(cause);
    cancelled = status;
    super.cancel(message, cause);
    StreamCalls stream = on;
    if (stream != null && stream.isStreamEnded()) {
      giveUp(status);
    }
  }

  /** Ends a call that has no stream, and is not to wait for one any longer. Any thread. */
  void refuse(Status status) {
    StreamCalls stream = on;
    if (stream == null || stream.isStreamEnded()) {
      refused = status;
      if (started) { // Else the start, on another thread, does it.
        cancelRefused();
      }
    }
  }

  private void cancelRefused() {
    delegate.cancel("its channel takes no more calls", null);
  }

  /** From now on, a cancellation and the deadline have their effect by what is done here. */
  void streamEnded(EventLoop loop) {
    Status status = cancelled;
    if (status != null) {
      giveUp(status);
      return;
    }
    if (owner.isCut()) {
      dropIfStreamEnded();
      return;
    }
    Deadline deadline = trace.deadline();
    if (deadline != null) {
      deadlineTimer =
          loop.schedule(
              this::deadlineExceeded,
              deadline.timeRemaining(TimeUnit.NANOSECONDS),
              TimeUnit.NANOSECONDS);
    }
    context.addListener(contextListener, Runnable::run);
    if (closed) {
      forgetTimers();
    }
  }

  /** Gives the call up if nothing but its user's reading keeps it. Any thread. */
  void dropIfStreamEnded() {
    StreamCalls stream = on;
    if (stream != null && stream.isStreamEnded()) {
      giveUp(stream.end().record(StreamEnd.UNREAD, null));
    }
  }

  private void deadlineExceeded() {
    StreamCalls stream = on;
    String end =
        stream == null ? owner.target() : stream.end().record(StreamEnd.LOST).getDescription();
    giveUp(
        Status.DEADLINE_EXCEEDED.withDescription(
            "deadline exceeded with messages unread, after the end of " + end));
  }

  private void forgetTimers() {
    Future<?> timer = deadlineTimer;
    if (timer != null) {
      timer.cancel(false);
    }
    context.removeListener(contextListener);
  }

  /**
   * Drops what the user has not asked for. Any thread; of several calls the first counts.
   *
   * @param status for a call that loses messages by this
   */
  void giveUp(Status status) {
    boolean first = givenUp.compareAndSet(null, status);
    if (first && started && !closed) { // Unless started, the start, on another thread, does it.
      takeAll();
    }
  }

  private void takeAll() {
    try {
      delegate.request(Integer.MAX_VALUE);
      // One that has not got as far as the stream (it waits for credentials, or for a retry) has
      // nothing to take. To one that has, this means nothing any more.
      delegate.cancel("given up with its stream", null);
    } catch (RejectedExecutionException e) {
      log.debug("{}: the event loop has ended", owner.target(), e);
    }
  }

  /**
   * gRPC has lost the call on its way to its stream, as the event loop has ended meanwhile; or else
   * as some executor of the user's takes no more work, which is no end of the stream.
   */
  private void forgotten(RejectedExecutionException failure) {
    EndListener ends = listener;
    if (ends == null) {
      throw failure;
    }
    StreamCalls stream = on;
    boolean stands =
        stream == null
            ? owner.refusal() == null
            : !stream.end().stream().channel().eventLoop().isShutdown();
    Status status = givenUp.get();
    if (stands) {
      UserLog.LOG.warn(
          "{}: a call fails, of which something takes no more work", owner.target(), failure);
      delegate.cancel("something takes no more work of it", failure);
      if (status == null) {
        status =
            Status.UNAVAILABLE
                .withDescription(owner.target() + ": something takes no more work of the call")
                .withCause(failure);
      }
    } else {
      log.debug("{}: the event loop has ended before the call was on it", owner.target(), failure);
      if (status == null) {
        status = stream == null ? owner.overStatus() : stream.end().record(StreamEnd.LOST);
      }
    }
    Status told = status;
    context.run(() -> ends.onClose(told, new Metadata()));
  }

  private final class EndListener extends SimpleForwardingClientCallListener<R> {
    private final AtomicBoolean told = new AtomicBoolean();
    private boolean lost;

    EndListener(Listener<R> delegate) {
      super(delegate);
    }

    @Override
    public void onHeaders(Metadata headers) {
      if (!told.get()) { // Another hedge, where gRPC has forgotten one, may go on.
        super.onHeaders(headers);
      }
    }

    @Override
    public void onReady() {
      if (!told.get()) {
        super.onReady();
      }
    }

    @Override
    public void onMessage(R message) {
      if (told.get()) {
        return;
      }
      boolean isWanted = wanted.getAndDecrement() > 0;
      if (lost || (givenUp.get() != null && !isWanted)) { // Nothing may come behind a gap.
        lost = true;
      } else {
        super.onMessage(message);
      }
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      if (!told.compareAndSet(false, true)) {
        return;
      }
      closed = true;
      leave();
      forgetTimers();
      super.onClose(statusFor(status, trailers), trailers);
    }

    private Status statusFor(Status status, Metadata trailers) {
      Status instead = givenUp.get();
      if (instead != null && (lost || status.getCode() == Status.Code.CANCELLED)) {
        return instead;
      }
      Status ended = refused;
      if (ended != null && status.getCode() == Status.Code.CANCELLED) {
        return ended;
      }
      StreamCalls stream = on;
      if (status.getCode() == Status.Code.DEADLINE_EXCEEDED) {
        return explainDeadline(status, stream);
      }
      boolean told = status.isOk() || trace.isToldByPeer(status, trailers);
      boolean ownDoing =
          status.getCode() == Status.Code.CANCELLED && (cancelled != null || context.isCancelled());
      return told || ownDoing || stream == null ? status : stream.end().explain(status);
    }

    /** Without the failure of the latest pick, which gRPC gives with the stack of its cause. */
    private static @Nullable String withoutPick(@Nullable String text) {
      if (text == null || !text.contains(LAST_PICK)) {
        return text;
      }
      return text.substring(0, text.indexOf(LAST_PICK)) + "]";
    }

    private Status explainDeadline(Status exceeded, @Nullable StreamCalls stream) {
      String why = stream == null || stream.isStreamEnded() ? owner.whyWaiting() : "";
      if (!why.isEmpty()) {
        return exceeded.withDescription(withoutPick(exceeded.getDescription()) + ": " + why);
      }
      return stream == null ? exceeded : stream.end().explainDeadline(exceeded);
    }
  }
}
