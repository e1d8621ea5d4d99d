package io.grpcstream.libp2p.connection;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.OptionalLong;
import java.util.function.LongSupplier;

/**
 * How many use a connection, and since when nobody does. Either it is used, or it can be given up,
 * and then for good: who comes to use it later finds it closing. Thread-safe.
 */
final class ConnectionUse {
  private final LongSupplier nanoTime;

  @GuardedBy("this")
  private int users;

  @GuardedBy("this")
  private long unusedSince;

  /** Written under the lock. */
  private volatile boolean givenUp;

  /** A connection that is new, and not used. */
  ConnectionUse(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    unusedSince = nanoTime.getAsLong();
  }

  /** One more uses it, or tries to. Returns false if it is given up, and that will be in vain. */
  synchronized boolean begin() {
    users++;
    return !givenUp;
  }

  /**
   * One less uses it.
   *
   * @param used whether it was for a user, and came about: else the time goes on that it was unused
   */
  synchronized void end(boolean used) {
    users--;
    if (used) {
      unusedSince = nanoTime.getAsLong();
    }
  }

  /** Somebody is about to use it. Returns false if it is given up. */
  synchronized boolean touch() {
    unusedSince = nanoTime.getAsLong();
    return !givenUp;
  }

  /** Since when nobody uses it; empty if somebody does. */
  synchronized OptionalLong unusedSince() {
    return users == 0 && !givenUp ? OptionalLong.of(unusedSince) : OptionalLong.empty();
  }

  /** Whether it is given up. */
  boolean isGivenUp() {
    return givenUp;
  }

  /** Gives it up if it has not been used since {@code when}, as {@link #unusedSince()} said. */
  synchronized boolean giveUp(long when) {
    if (users != 0 || givenUp || unusedSince != when) {
      return false;
    }
    givenUp = true;
    return true;
  }
}
