package io.grpcstream.libp2p.mux.yamux;

/**
 * A token bucket: how often a peer may make us do something that costs us more than it costs the
 * peer. Used on the event loop only.
 */
final class RateBudget {
  private static final long SECOND = 1_000_000_000L;

  private final int burst;
  private final int perSecond;
  private double tokens;
  private long lastNanos;

  RateBudget(int burst, int perSecond, long nowNanos) {
    this.burst = burst;
    this.perSecond = perSecond;
    this.tokens = burst;
    this.lastNanos = nowNanos;
  }

  /** Takes one token; false if there is none. */
  boolean take(long nowNanos) {
    tokens = Math.min(burst, tokens + (double) (nowNanos - lastNanos) * perSecond / SECOND);
    lastNanos = nowNanos;
    if (tokens < 1) {
      return false;
    }
    tokens--;
    return true;
  }

  @Override
  public String toString() {
    return burst + " at once and " + perSecond + " a second";
  }
}
