package io.grpcstream.serving;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpcstream.libp2p.util.StageFuture;
import io.grpcstream.serving.TrackedStream.State;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The streams that wait to be accepted, and the accepts that wait for streams; at most one of the
 * two is not empty. Both are served in the order in which they came.
 *
 * <p>A stream waits with its reading off, so that it costs no more than its entry here, and not
 * longer than the time limit. A future that is cancelled, or that its holder completes otherwise,
 * gives its place up; a stream offered to it in that very moment goes to the next.
 */
final class Backlog<C> {
  /** What became of a stream that was offered. */
  enum Outcome {
    /** It waits, or was handed out. */
    TAKEN,
    /** There are too many waiting. */
    FULL,
    /** Nothing is accepted any more. */
    STOPPED
  }

  private final int limit;
  private final Function<TrackedStream, C> accepted;

  private final Object lock = new Object();
  private final Deque<TrackedStream> waiting = new ArrayDeque<>();
  private final Deque<CompletableFuture<C>> takers = new ArrayDeque<>();
  private @Nullable Supplier<? extends Exception> stopped;

  /**
   * A backlog.
   *
   * @param limit how many streams may wait
   * @param accepted makes a connection of a stream that is to be handed out
   */
  Backlog(int limit, Function<TrackedStream, C> accepted) {
    this.limit = limit;
    this.accepted = accepted;
  }

  /** Hands a stream that has arrived out, or queues it. */
  Outcome offer(TrackedStream stream) {
    return place(stream, false);
  }

  /** Hands a stream out again, or puts it at the head of the queue, whatever the limit. */
  Outcome putBack(TrackedStream stream) {
    return place(stream, true);
  }

  private Outcome place(TrackedStream stream, boolean atHead) {
    while (true) {
      CompletableFuture<C> taker;
      synchronized (lock) {
        if (stopped != null) {
          return Outcome.STOPPED;
        }
        if (takers.isEmpty() && !atHead && isFull()) {
          return Outcome.FULL;
        }
        if (!stream.move(State.ARRIVED, takers.isEmpty() ? State.WAITING : State.ACCEPTED)) {
          return Outcome.TAKEN; // Somebody decided about it in another way.
        }
        taker = takers.pollFirst();
        if (taker == null && atHead) {
          waiting.addFirst(stream);
        } else if (taker == null) {
          waiting.addLast(stream);
        }
      }
      if (taker == null) {
        stream.startWaiting();
        stream.stream().closed().thenRun(() -> ended(stream));
        return Outcome.TAKEN;
      }
      if (handOut(stream, taker) || !stream.move(State.ACCEPTED, State.ARRIVED)) {
        return Outcome.TAKEN;
      }
      atHead = true; // The taker gave up just now; this stream is still the oldest.
    }
  }

  /** What was decided about in another way, or has expired, does not wait any more. */
  @GuardedBy("lock")
  private boolean isFull() {
    if (waiting.size() >= limit) {
      waiting.removeIf(stream -> stream.state() != State.WAITING);
    }
    return waiting.size() >= limit;
  }

  /** The oldest waiting stream, or the next to come. */
  CompletableFuture<C> take() {
    TrackedStream stream;
    CompletableFuture<C> taker = new StageFuture<>();
    synchronized (lock) {
      if (stopped != null) {
        return StageFuture.failed(stopped.get());
      }
      do {
        stream = waiting.pollFirst();
      } while (stream != null && !stream.move(State.WAITING, State.ACCEPTED));
      if (stream == null) {
        takers.addLast(taker);
      }
    }
    if (stream == null) {
      taker.whenComplete((connection, failure) -> forget(taker));
    } else {
      handOut(stream, taker);
    }
    return taker;
  }

  private boolean handOut(TrackedStream stream, CompletableFuture<C> taker) {
    boolean taken = taker.complete(accepted.apply(stream));
    if (taken) {
      stream.startDeciding();
    }
    return taken;
  }

  private void forget(CompletableFuture<C> taker) {
    synchronized (lock) {
      takers.removeIf(other -> other == taker);
    }
  }

  /**
   * Ends accepting: the waiting accepts, and all later ones, fail with what {@code failure} makes.
   * Of several calls the last one decides about later accepts.
   *
   * @return the streams that were waiting, oldest first
   */
  List<TrackedStream> stop(Supplier<? extends Exception> failure) {
    List<TrackedStream> streams;
    List<CompletableFuture<C>> unserved;
    synchronized (lock) {
      stopped = failure;
      streams = List.copyOf(waiting);
      waiting.clear();
      unserved = List.copyOf(takers);
      takers.clear();
    }
    unserved.forEach(taker -> taker.completeExceptionally(failure.get()));
    return streams;
  }

  /** How many streams wait. */
  int size() {
    synchronized (lock) {
      return waiting.size();
    }
  }

  /** A stream that waited has ended, by itself or because its time was over. */
  private void ended(TrackedStream stream) {
    stream.move(State.WAITING, State.CLOSED);
    synchronized (lock) {
      waiting.remove(stream);
    }
  }
}
