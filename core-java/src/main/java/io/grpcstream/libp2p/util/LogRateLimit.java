package io.grpcstream.libp2p.util;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * A limit for log lines that peers can cause, or that users' code lets us log where peers decide
 * how often that runs: so many in a window, which the first line after the last window begins.
 * Thread-safe.
 */
public final class LogRateLimit {
  private final int lines;
  private final long windowNanos;
  private final LongSupplier nanoTime;

  @GuardedBy("this")
  private long windowStart;

  @GuardedBy("this")
  private int written;

  @GuardedBy("this")
  private long leftOut;

  /** One line a second. */
  public LogRateLimit() {
    this(1, Duration.ofSeconds(1), System::nanoTime);
  }

  /** At most {@code lines} in {@code window}. */
  public LogRateLimit(int lines, Duration window, LongSupplier nanoTime) {
    this.lines = lines;
    this.nanoTime = nanoTime;
    windowNanos = window.toNanos();
    windowStart = nanoTime.getAsLong() - windowNanos;
  }

  /** How many lines were left out before this one, or -1 if this one is to be left out too. */
  public synchronized long leftOut() {
    long now = nanoTime.getAsLong();
    if (now - windowStart >= windowNanos) {
      windowStart = now;
      written = 0;
    }
    if (written == lines) {
      leftOut++;
      return -1;
    }
    written++;
    long before = leftOut;
    leftOut = 0;
    return before;
  }
}
