package io.grpcstream.netty;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpcstream.libp2p.PeerId;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * What one peer may still cost.
 *
 * <p><b>Resets.</b> A caller that resets calls as fast as it makes them (RST_STREAM, RFC 9113,
 * section 6.4) has the service begin and drop work without ever meeting the limit of calls at a
 * time. Only what a caller alone can cause is counted: the reset of a call that is younger than a
 * second and has been sent nothing. So neither a service that answers early, nor a caller that
 * leaves after the first message, nor a slow service costs a peer anything. Each call that is
 * answered gives one back, and so does time. A peer that has spent all is served no more until half
 * of it is there again. Thread-safe.
 */
final class PeerBudget {
  /** A call that lasts for longer is bounded by the number of calls at a time. */
  static final long RAPID_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** In how long a peer that does nothing has its whole budget of resets again. */
  static final int REFILL_SECONDS = 10;

  final PeerId peer;
  final PeerBudgets all;
  final AtomicLong held = new AtomicLong();

  /** Guarded by {@link MessageMemory}. */
  long reserved;

  /** Its streams that wait, with one message each. Guarded by {@link MessageMemory}. */
  final Queue<MessageMemory.Place> places = new ArrayDeque<>(1);

  /** Guarded by {@link #all}. */
  long grown;

  /** Guarded by the entry of this peer. */
  int streams;

  private final int capacity;
  private final LongSupplier nanoTime;

  @GuardedBy("this")
  private double resets;

  @GuardedBy("this")
  private long countedAt;

  @GuardedBy("this")
  private boolean overdrawn;

  /** Whether something is to be given back; read without a lock, as most peers spend nothing. */
  private volatile boolean spent;

  PeerBudget(PeerBudgets all, PeerId peer, LongSupplier nanoTime) {
    this.all = all;
    this.peer = peer;
    this.nanoTime = nanoTime;
    capacity = all.resets;
    resets = capacity;
    countedAt = nanoTime.getAsLong();
  }

  /** The peer has reset a call unanswered: whether it might. */
  synchronized boolean spendReset() {
    refill(0);
    if (overdrawn || resets < 1) {
      overdrawn = true;
      return false;
    }
    resets--;
    spent = true;
    return true;
  }

  /** A call of the peer was answered. */
  void answered() {
    if (spent) {
      synchronized (this) {
        refill(1);
      }
    }
  }

  /** Whether the peer has spent all, and has not half of it again. */
  synchronized boolean isOverdrawn() {
    refill(0);
    return overdrawn;
  }

  @GuardedBy("this")
  private void refill(int earned) {
    long now = nanoTime.getAsLong();
    double perNano = (double) capacity / TimeUnit.SECONDS.toNanos(REFILL_SECONDS);
    resets = Math.min(capacity, resets + earned + (now - countedAt) * perNano);
    countedAt = now;
    overdrawn &= resets < capacity / 2.0;
    spent = resets < capacity;
  }

  synchronized boolean isUnused() {
    refill(0);
    return streams == 0 && !spent;
  }

  /** The budget, for people. */
  String resetBudget() {
    return "limit %,d in %d s and one for each answered call, over all its streams"
        .formatted(capacity, REFILL_SECONDS);
  }
}
