package io.grpcstream.netty;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.internal.GrpcUtil;
import io.grpc.internal.SharedResourceHolder;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Tracks the calls of one channel from their start until their users have been told of their end,
 * and keeps what they need for that when gRPC's own channel, and the streams below it, have ended.
 *
 * <p>gRPC reports the end of a call after all messages that arrived before it, and delivers those
 * as the user requests them. A slow user so hears of the end long after the stream has ended. Until
 * then the call needs
 *
 * <ul>
 *   <li><b>an executor</b>. gRPC gives its shared one back when the channel terminates, and it ends
 *       a second later if nobody else uses it. So it is held here as long as there are calls. It
 *       also runs what a user's own executor rejects.
 *   <li><b>somebody who ends it in time</b>. A cancelled call, or one beyond its deadline, is ended
 *       by gRPC's handler of the stream, which is gone. So it is done by {@link TrackedCall}.
 *   <li><b>the event loop</b>, where its messages are. When the host's shutdown ends the loop, all
 *       calls end: {@link StreamCalls#drop}.
 * </ul>
 *
 * <p>A call whose user neither reads on nor cancels, and which has no deadline, is kept until the
 * event loop ends, with what has arrived for it (at most an HTTP/2 window). Thread-safe.
 */
abstract class CallTracker {
  private final Executor shared = SharedResourceHolder.get(GrpcUtil.SHARED_CHANNEL_EXECUTOR);
  private final AtomicBoolean sharedReleased = new AtomicBoolean();
  private final Set<TrackedCall<?, ?>> calls = ConcurrentHashMap.newKeySet();
  private @Nullable Executor executor;
  private volatile boolean over;
  private volatile boolean cut;

  /** Why no call may be made, or null while the channel takes calls. */
  abstract @Nullable Status refusal();

  /** What a call is refused with that comes just as the channel is over. */
  abstract Status overStatus();

  /** The stream that all calls run on; null if each one may get its own. */
  abstract @Nullable StreamCalls onlyStream();

  /** Whether the calling thread is one that a call of this channel may need for its answer. */
  abstract boolean isOnEventLoop();

  /** Names what is called, for people. */
  abstract String target();

  /** What may be said of peers that could not be reached, to a call that waited; or nothing. */
  abstract String whyWaiting();

  /** A call by {@code channel} that is one of these from its start to its end. */
  final <Q, R> ClientCall<Q, R> newCall(
      Channel channel, MethodDescriptor<Q, R> method, CallOptions options) {
    CallTrace trace = new CallTrace();
    CallOptions ours = options.withStreamTracerFactory(trace);
    Executor users = options.getExecutor() == null ? executor : options.getExecutor();
    return new TrackedCall<>(
        this,
        forgotten ->
            channel.newCall(
                method,
                FallbackExecutor.isNeeded(users)
                    ? ours.withExecutor(new FallbackExecutor(users, shared, forgotten))
                    : ours),
        options,
        trace);
  }

  /**
   * The executor of the channel that makes the calls, whose callbacks {@code executor} is to run;
   * to be asked for before the first call. Null for gRPC's shared one.
   */
  final @Nullable Executor executorFor(@Nullable Executor executor) {
    this.executor = executor;
    return executor == null || !FallbackExecutor.isNeeded(executor)
        ? executor
        : new FallbackExecutor( // For calls of its own, such as those that check the health.
            executor,
            shared,
            failure -> {
              throw failure;
            });
  }

  /** Whether {@code call}, which is being started, is in time for the channel. */
  final boolean add(TrackedCall<?, ?> call) {
    calls.add(call);
    if (!over) {
      return true;
    }
    remove(call);
    return false;
  }

  /** The user of {@code call} hears of its end now. */
  final void remove(TrackedCall<?, ?> call) {
    calls.remove(call);
    releaseIfOver();
  }

  /** Those whose users have not been told of their end. */
  final Set<TrackedCall<?, ?>> calls() {
    return calls;
  }

  /**
   * Calls whose streams have ended lose what they have not asked for, now and from now on. Of those
   * on streams that stand, gRPC knows.
   */
  final void cut() {
    cut = true;
    calls.forEach(TrackedCall::dropIfStreamEnded);
  }

  /** Whether calls end with their streams, whatever their users have not read. */
  final boolean isCut() {
    return cut;
  }

  /**
   * No call is added any more. To be told, once, when there is no channel any more, or else this
   * holds on to gRPC's executor.
   */
  final void over() {
    over = true;
    releaseIfOver();
  }

  private void releaseIfOver() {
    if (over && calls.isEmpty() && sharedReleased.compareAndSet(false, true)) {
      SharedResourceHolder.release(GrpcUtil.SHARED_CHANNEL_EXECUTOR, shared);
    }
  }
}
