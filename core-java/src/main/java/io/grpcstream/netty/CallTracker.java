package io.grpcstream.netty;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.internal.GrpcUtil;
import io.grpc.internal.SharedResourceHolder;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.SingleThreadEventExecutor;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tracks the calls of one channel from their start until their users have been told of their end,
 * and keeps what they need for that when the stream, and gRPC's own channel over it, have ended.
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
 *       by gRPC's handler of the stream, which is gone. So it is done here; see {@link
 *       TrackedCall}.
 *   <li><b>the event loop</b>, where its messages are. When the host's shutdown ends the loop, all
 *       calls end: {@link #drop}.
 * </ul>
 *
 * <p>A call whose user neither reads on nor cancels, and which has no deadline, is kept until the
 * event loop ends, with what has arrived for it (at most an HTTP/2 window). Thread-safe.
 */
final class CallTracker {
  private static final Logger log = LoggerFactory.getLogger(CallTracker.class);

  private final StreamEnd end;
  private final Executor shared = SharedResourceHolder.get(GrpcUtil.SHARED_CHANNEL_EXECUTOR);
  private final AtomicBoolean sharedReleased = new AtomicBoolean();
  private final Set<TrackedCall<?, ?>> calls = ConcurrentHashMap.newKeySet();
  private final Runnable dropTask = this::drop;
  private volatile @Nullable SingleThreadEventExecutor hooked;
  private volatile boolean streamEnded;

  /** To be told of the end of the stream, or else it holds on to gRPC's executor. */
  CallTracker(StreamEnd end) {
    this.end = end;
  }

  StreamEnd end() {
    return end;
  }

  /** A call by {@code channel} that is one of these from its start to its end. */
  <Q, R> ClientCall<Q, R> newCall(
      Channel channel, MethodDescriptor<Q, R> method, CallOptions options) {
    CallTrace trace = new CallTrace();
    CallOptions ours = options.withStreamTracerFactory(trace);
    if (options.getExecutor() != null) {
      ours = ours.withExecutor(steady(options.getExecutor()));
    }
    return new TrackedCall<>(this, channel.newCall(method, ours), options, trace);
  }

  /** Runs by {@code executor}, or by gRPC's shared one what that one rejects. */
  Executor steady(Executor executor) {
    return FallbackExecutor.of(executor, shared);
  }

  /** Whether {@code call}, which is being started, is in time for the stream. */
  boolean add(TrackedCall<?, ?> call) {
    calls.add(call);
    if (!streamEnded) {
      return true;
    }
    remove(call);
    return false;
  }

  /** The user of {@code call} hears of its end now. */
  void remove(TrackedCall<?, ?> call) {
    calls.remove(call);
    releaseIfOver();
  }

  /** Whether gRPC's handlers are gone, so that calls end only here. */
  boolean isStreamEnded() {
    return streamEnded;
  }

  /** Gives up the messages that nobody asks for: calls that are over end for their users. */
  void drop() {
    Status cut = end.record(StreamEnd.UNREAD, null);
    calls.forEach(call -> call.giveUp(cut));
  }

  /** No call is added any more. To be called on the event loop of the stream, once. */
  void streamEnded(EventLoop loop) {
    streamEnded = true;
    calls.forEach(call -> call.streamEnded(loop));
    if (!calls.isEmpty() && loop instanceof SingleThreadEventExecutor executor) {
      executor.addShutdownHook(dropTask);
      hooked = executor;
    }
    releaseIfOver();
  }

  private void releaseIfOver() {
    if (!streamEnded || !calls.isEmpty()) {
      return;
    }
    if (sharedReleased.compareAndSet(false, true)) {
      SharedResourceHolder.release(GrpcUtil.SHARED_CHANNEL_EXECUTOR, shared);
    }
    SingleThreadEventExecutor executor = hooked;
    if (executor != null) {
      try {
        executor.removeShutdownHook(dropTask);
      } catch (RejectedExecutionException e) {
        log.debug("the event loop has ended, and its hooks with it", e);
      }
    }
  }
}
