package io.grpcstream.libp2p.upkeep;

import java.time.Duration;
import java.util.function.DoubleSupplier;

/**
 * How long to wait before a peer is dialled again: twice as long after each attempt, with a random
 * part, so that those who have lost the same peer do not come back to it all at once. On one event
 * loop.
 */
final class RedialBackoff {
  /** The first delay, of which between half and all is waited. */
  static final Duration FIRST = Duration.ofSeconds(1);

  /** The longest delay, of which between half and all is waited. */
  static final Duration LONGEST = Duration.ofMinutes(2);

  /** Between 0 and 1. */
  private final DoubleSupplier random;

  private long next = FIRST.toNanos();

  RedialBackoff(DoubleSupplier random) {
    this.random = random;
  }

  /** The next delay in nanoseconds, after which they are longer. */
  long nextNanos() {
    long delay = next;
    next = Math.min(2 * delay, LONGEST.toNanos());
    return (long) (delay * (1 + random.getAsDouble()) / 2);
  }

  /** From now on the longest delay. */
  void toLongest() {
    next = LONGEST.toNanos();
  }

  boolean isLongest() {
    return next == LONGEST.toNanos();
  }

  /** From now on the first delay again. */
  void reset() {
    next = FIRST.toNanos();
  }
}
