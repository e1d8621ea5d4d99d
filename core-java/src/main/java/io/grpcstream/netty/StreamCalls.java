package io.grpcstream.netty;

import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.util.AttributeKey;
import io.netty.util.concurrent.SingleThreadEventExecutor;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The calls that run on one stream, until their users have been told of their end: which, for a
 * user that reads slowly, is long after the stream's. Then gRPC's handler of the stream is gone,
 * which would end a call that is cancelled or beyond its deadline, so {@link TrackedCall} does it;
 * and when the host's shutdown ends the event loop, where its messages are, all calls end: {@link
 * #drop}. Thread-safe.
 */
final class StreamCalls {
  private static final Logger log = LoggerFactory.getLogger(StreamCalls.class);

  /** Of a stream that is claimed, and so never set by another copy of this library. */
  private static final AttributeKey<StreamCalls> KEY =
      AttributeKey.valueOf(StreamCalls.class, "CALLS");

  private final StreamEnd end;
  private final Set<TrackedCall<?, ?>> calls = ConcurrentHashMap.newKeySet();
  private final Runnable dropTask = this::drop;
  private volatile @Nullable SingleThreadEventExecutor hooked;
  private volatile boolean streamEnded;

  StreamCalls(StreamEnd end) {
    this.end = end;
  }

  /** The same, to be found by the stream's channel. */
  static StreamCalls on(StreamEnd end) {
    StreamCalls calls = new StreamCalls(end);
    end.stream().channel().attr(KEY).set(calls);
    return calls;
  }

  /** Those on the stream of {@code channel}, which is a client's. */
  static @Nullable StreamCalls of(Channel channel) {
    return channel.attr(KEY).get();
  }

  StreamEnd end() {
    return end;
  }

  /** Whether {@code call} is in time for the stream. */
  boolean add(TrackedCall<?, ?> call) {
    calls.add(call);
    if (!streamEnded) {
      return true;
    }
    remove(call);
    return false;
  }

  /** The user of {@code call} hears of its end now, or it goes on on another stream. */
  void remove(TrackedCall<?, ?> call) {
    calls.remove(call);
    unhookIfOver();
  }

  /** Whether gRPC's handlers are gone, so that calls end only here. */
  boolean isStreamEnded() {
    return streamEnded;
  }

  /** Gives up the messages that nobody asks for: calls that are over end for their users. */
  void drop() {
    calls.forEach(call -> call.giveUp(end.record(StreamEnd.UNREAD, null)));
  }

  /** No call is added any more. To be called on the event loop of the stream, once. */
  void streamEnded(EventLoop loop) {
    streamEnded = true;
    calls.forEach(call -> call.streamEnded(loop));
    if (!calls.isEmpty() && loop instanceof SingleThreadEventExecutor executor) {
      executor.addShutdownHook(dropTask);
      hooked = executor;
    }
    unhookIfOver();
  }

  private void unhookIfOver() {
    SingleThreadEventExecutor executor = hooked;
    if (executor == null || !streamEnded || !calls.isEmpty()) {
      return;
    }
    try {
      executor.removeShutdownHook(dropTask);
    } catch (RejectedExecutionException e) {
      log.debug("the event loop has ended, and its hooks with it", e);
    }
  }
}
