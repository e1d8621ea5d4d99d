package io.grpcstream.netty;

import io.grpc.ClientCall;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.Status;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.SingleThreadEventExecutor;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The calls of one channel whose users have not heard of their end.
 *
 * <p>gRPC tells the end of a call behind the messages that arrived before it, when its user has
 * asked for all of them: that is on the stream's event loop, also long after the stream. Once the
 * loop is gone no one could ask, so such a call would never end, and its messages would never be
 * released. {@link #drop} takes all messages out, on their way to the call's executor: those that
 * the user has asked for by the time they get there are delivered, the others are given up, and a
 * call that has lost any does not end with OK. Thread-safe.
 */
final class LiveCalls {
  private static final Logger log = LoggerFactory.getLogger(LiveCalls.class);

  private final StreamEnd end;
  private final Set<LiveCall<?, ?>> calls = ConcurrentHashMap.newKeySet();
  private final Runnable dropTask = this::drop;
  private volatile @Nullable SingleThreadEventExecutor hooked;

  LiveCalls(StreamEnd end) {
    this.end = end;
  }

  /** Lets {@code call} be one of these from its start to its end. */
  <Q, R> ClientCall<Q, R> track(ClientCall<Q, R> call) {
    return new LiveCall<>(call);
  }

  /** Gives up the messages that nobody asks for: calls that are over end for their users. */
  void drop() {
    calls.forEach(LiveCall::drop);
  }

  /** Drops when {@code loop} ends, unless all calls end before. To be called on it, once. */
  void dropWithLoop(EventLoop loop) {
    if (!calls.isEmpty() && loop instanceof SingleThreadEventExecutor executor) {
      executor.addShutdownHook(dropTask);
      hooked = executor;
      unhookIfEmpty();
    }
  }

  private void unhookIfEmpty() {
    SingleThreadEventExecutor executor = hooked;
    if (executor != null && calls.isEmpty()) {
      try {
        executor.removeShutdownHook(dropTask);
      } catch (RejectedExecutionException e) {
        log.debug("the event loop has ended, and its hooks with it", e);
      }
    }
  }

  private final class LiveCall<Q, R> extends SimpleForwardingClientCall<Q, R> {
    /** How many more messages the user takes. */
    private final AtomicLong wanted = new AtomicLong();

    private volatile boolean started;
    private volatile boolean dropped;

    LiveCall(ClientCall<Q, R> delegate) {
      super(delegate);
    }

    @Override
    public void start(Listener<R> listener, Metadata headers) {
      calls.add(this);
      super.start(new EndListener(listener), headers);
      started = true;
      if (dropped) {
        takeAll();
      }
    }

    @Override
    public void request(int messages) {
      wanted.addAndGet(messages);
      if (!dropped) {
        super.request(messages);
      }
    }

    void drop() {
      if (!dropped) {
        dropped = true;
        if (started) { // Else the start, on another thread, does it.
          takeAll();
        }
      }
    }

    private void takeAll() {
      delegate().request(Integer.MAX_VALUE);
    }

    private final class EndListener extends SimpleForwardingClientCallListener<R> {
      private boolean lost;

      EndListener(Listener<R> delegate) {
        super(delegate);
      }

      @Override
      public void onMessage(R message) {
        boolean isWanted = wanted.getAndDecrement() > 0;
        if (lost || (dropped && !isWanted)) { // Nothing may come behind a gap.
          lost = true;
        } else {
          super.onMessage(message);
        }
      }

      @Override
      public void onClose(Status status, Metadata trailers) {
        calls.remove(LiveCall.this);
        unhookIfEmpty();
        boolean seemsWhole = lost && status.isOk();
        super.onClose(
            seemsWhole ? end.record("it was cut with messages unread", null) : status, trailers);
      }
    }
  }
}
