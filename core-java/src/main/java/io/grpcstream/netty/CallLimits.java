package io.grpcstream.netty;

import java.time.Duration;

/**
 * What the calls of peers may cost a gRPC server.
 *
 * @param stallTimeout how long a peer may leave something half sent without a further byte: the
 *     HTTP/2 preface, a frame, a header block, a message
 * @param resets how many calls a peer may reset at once before it was answered; as many come back
 *     in {@link #RESETS_REFILL_SECONDS}, and one with each call that is answered
 * @param memory bytes that the calls of all peers may hold unread and unfinished; see {@link
 *     PeerBudgets}
 */
public record CallLimits(Duration stallTimeout, int resets, long memory) {
  /** In how long a peer that does nothing has its whole budget of resets again. */
  static final int RESETS_REFILL_SECONDS = 10;

  /**
   * Longer than the silence after which a connection is given up, so that what stalls for that long
   * does so because the peer wants it.
   */
  private static final Duration STALL_TIMEOUT = Duration.ofSeconds(60);

  /**
   * A caller that cancels calls as a matter of course does not reach it before an answer: a rapid
   * reset (CVE-2023-44487) does so in 50 ms.
   */
  private static final int RESETS = 2_000;

  private static final long LEAST_MEMORY = 32L << 20;

  /** The starting values: 60 seconds, 2,000 resets, half of the heap that the JVM may use. */
  public static CallLimits defaults() {
    return new CallLimits(
        STALL_TIMEOUT, RESETS, Math.max(LEAST_MEMORY, Runtime.getRuntime().maxMemory() / 2));
  }

  /** The same with another time for what is half sent. */
  public CallLimits withStallTimeout(Duration timeout) {
    return new CallLimits(timeout, resets, memory);
  }

  /** The same with another bound for memory. */
  public CallLimits withMemory(long bytes) {
    return new CallLimits(stallTimeout, resets, bytes);
  }
}
