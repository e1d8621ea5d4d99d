package io.grpcstream.libp2p.util;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * A limit for what users' code lets us log, where peers decide how often that runs: one line a
 * second. Thread-safe.
 */
public final class LineLimit {
  private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final LongSupplier nanoTime;

  @GuardedBy("this")
  private long lastLine;

  @GuardedBy("this")
  private long leftOut;

  public LineLimit() {
    this(System::nanoTime);
  }

  public LineLimit(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    lastLine = nanoTime.getAsLong() - INTERVAL_NANOS;
  }

  /** How many lines were left out before this one, or -1 if this one is to be left out too. */
  public synchronized long leftOut() {
    long now = nanoTime.getAsLong();
    if (now - lastLine < INTERVAL_NANOS) {
      leftOut++;
      return -1;
    }
    lastLine = now;
    long before = leftOut;
    leftOut = 0;
    return before;
  }
}
