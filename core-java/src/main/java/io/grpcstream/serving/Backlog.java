package io.grpcstream.serving;

import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.text.DurationText;
import io.grpcstream.libp2p.util.StageFuture;
import io.grpcstream.netty.RefusalLog;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
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
  private final Duration timeout;
  private final RefusalLog refusals;
  private final Unattended unattended;
  private final Function<Stream, C> accepted;
  private final Consumer<C> handedOut;

  private final Object lock = new Object();
  private final Deque<Entry> waiting = new ArrayDeque<>();
  private final Deque<CompletableFuture<C>> takers = new ArrayDeque<>();
  private @Nullable Supplier<? extends Exception> stopped;

  /**
   * A backlog.
   *
   * @param limit how many streams may wait
   * @param timeout how long each may wait
   * @param refusals told of streams that waited too long
   * @param unattended knows whether anybody has asked for streams at all
   * @param accepted makes a connection of a stream that is to be handed out
   * @param handedOut told of each that somebody has taken
   */
  Backlog(
      int limit,
      Duration timeout,
      RefusalLog refusals,
      Unattended unattended,
      Function<Stream, C> accepted,
      Consumer<C> handedOut) {
    this.limit = limit;
    this.timeout = timeout;
    this.refusals = refusals;
    this.unattended = unattended;
    this.accepted = accepted;
    this.handedOut = handedOut;
  }

  /** Hands a new stream out, or queues it. */
  Outcome offer(Stream stream) {
    return place(stream, false);
  }

  /** Hands a stream out again, or puts it at the head of the queue, whatever the limit. */
  Outcome putBack(Stream stream) {
    return place(stream, true);
  }

  private Outcome place(Stream stream, boolean atHead) {
    while (true) {
      CompletableFuture<C> taker;
      Entry entry = new Entry(stream);
      synchronized (lock) {
        if (stopped != null) {
          return Outcome.STOPPED;
        }
        taker = takers.pollFirst();
        if (taker == null) {
          if (atHead) {
            waiting.addFirst(entry);
          } else if (waiting.size() < limit) {
            waiting.addLast(entry);
          } else {
            return Outcome.FULL;
          }
        }
      }
      if (taker == null) {
        entry.deadline.start();
        stream.closed().thenRun(() -> remove(entry));
        return Outcome.TAKEN;
      }
      if (handOut(stream, taker)) {
        return Outcome.TAKEN;
      }
      atHead = true; // The taker gave up just now; this stream is still the oldest.
    }
  }

  /** The oldest waiting stream, or the next to come. */
  CompletableFuture<C> take() {
    Entry entry;
    CompletableFuture<C> taker = new StageFuture<>();
    synchronized (lock) {
      if (stopped != null) {
        return CompletableFuture.failedFuture(stopped.get());
      }
      entry = waiting.pollFirst();
      if (entry == null) {
        takers.addLast(taker);
      }
    }
    if (entry == null) {
      taker.whenComplete((connection, failure) -> forget(taker));
    } else {
      entry.deadline.stop();
      handOut(entry.stream, taker);
    }
    return taker;
  }

  private boolean handOut(Stream stream, CompletableFuture<C> taker) {
    C connection = accepted.apply(stream);
    boolean taken = taker.complete(connection);
    if (taken) {
      handedOut.accept(connection);
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
  List<Stream> stop(Supplier<? extends Exception> failure) {
    List<Entry> entries;
    List<CompletableFuture<C>> unserved;
    synchronized (lock) {
      stopped = failure;
      entries = List.copyOf(waiting);
      waiting.clear();
      unserved = List.copyOf(takers);
      takers.clear();
    }
    unserved.forEach(taker -> taker.completeExceptionally(failure.get()));
    List<Stream> streams = new ArrayList<>();
    for (Entry entry : entries) {
      entry.deadline.stop();
      streams.add(entry.stream);
    }
    return streams;
  }

  /** How many streams wait. */
  int size() {
    synchronized (lock) {
      return waiting.size();
    }
  }

  private boolean remove(Entry entry) {
    entry.deadline.stop();
    synchronized (lock) {
      return waiting.remove(entry);
    }
  }

  private void expire(Entry entry) {
    if (remove(entry)) {
      refusals.refused(
          entry.stream,
          Refusal.NOT_ACCEPTED,
          "reset, as it was not accepted within " + DurationText.of(timeout) + unattended.reason());
      entry.stream.reset();
    }
  }

  /** One waiting stream and its time limit. */
  private final class Entry {
    final Stream stream;
    final Deadline deadline;

    Entry(Stream stream) {
      this.stream = stream;
      deadline = new Deadline(stream, timeout, () -> expire(this));
    }
  }
}
