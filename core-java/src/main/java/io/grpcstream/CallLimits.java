package io.grpcstream;

import io.grpcstream.libp2p.text.DurationText;
import io.grpcstream.netty.PeerBudgets;
import java.time.Duration;
import java.util.Objects;

/**
 * What the calls of peers may cost a {@link GrpcStream}, beside the limits that gRPC has of its own
 * (see {@link GrpcStream.Builder#configureServer}) and those of the host (see {@link
 * io.grpcstream.libp2p.Limits}). {@code Host.stats()} counts what was refused, and the log names
 * the peer and the limit.
 *
 * <p>One starting value grows with the heap that the JVM may use, {@link Runtime#maxMemory()}.
 *
 * <table>
 * <caption>All limits, with their starting values</caption>
 * <tr><th>limit</th><th>for 256 MiB</th><th>grows with the heap</th></tr>
 * <tr><td>{@link #resets()}</td><td>2,000</td><td>no</td></tr>
 * <tr><td>{@link #stallTimeout()}</td><td>60 s</td><td>no</td></tr>
 * <tr><td>{@link #memory()}</td><td>134,217,728</td><td>half of it</td></tr>
 * </table>
 *
 * <p><b>Calls that we make.</b> What servers send has a bound of {@link #memory()} of its own: one
 * for all the channels that {@link GrpcStream#client} makes, and one for each that {@link
 * GrpcStream#wrapClientBuilder} makes. The other limits are for callers: calls that we make have
 * deadlines. Only a server that holds room which other servers wait for, and hardly goes on, loses
 * the call as a caller does.
 */
public final class CallLimits {
  /**
   * A caller that cancels calls as a matter of course does not reach it before an answer: a rapid
   * reset (CVE-2023-44487) does so in 50 ms.
   */
  private static final int RESETS = 2_000;

  /**
   * Longer than the silence after which a connection is given up, so that what stalls for that long
   * does so because the peer wants it.
   */
  private static final Duration STALL_TIMEOUT = Duration.ofSeconds(60);

  private static final Duration MAX_STALL_TIMEOUT = Duration.ofDays(365);

  /** The part of the heap that calls may fill. */
  private static final long MEMORY_SHARE = 2;

  private static final long LEAST_DEFAULT_MEMORY = 32L << 20;

  /** So that one call has room even beside peers that take what they can get. */
  private static final long MIN_MEMORY = 1L << 20;

  private final int resets;
  private final Duration stallTimeout;
  private final long memory;

  private CallLimits(Builder values) {
    resets = values.resets;
    stallTimeout = values.stallTimeout;
    memory = values.memory;
  }

  /** The starting values, for this JVM's heap. */
  public static CallLimits defaults() {
    return builder().build();
  }

  /** A builder that holds the starting values, for this JVM's heap. */
  public static Builder builder() {
    return builder(Runtime.getRuntime().maxMemory());
  }

  /** A builder that holds the starting values for a heap of so many bytes. */
  static Builder builder(long heapBytes) {
    return new Builder(
        RESETS, STALL_TIMEOUT, Math.max(LEAST_DEFAULT_MEMORY, heapBytes / MEMORY_SHARE));
  }

  /** A builder that holds these values. */
  public Builder toBuilder() {
    return new Builder(resets, stallTimeout, memory);
  }

  /**
   * Calls that a peer may reset (RST_STREAM, RFC 9113, section 6.4) at once, over all its streams
   * and connections: 2,000. As many come back in 10 seconds, and one with each call that is
   * answered. A peer that resets more loses the stream, by GOAWAY with {@code ENHANCE_YOUR_CALM},
   * and each new one at once until half of its resets have come back.
   *
   * <p>Only what a caller alone can cause is counted: the reset of a call that is younger than a
   * second and has been sent nothing. A caller keeps within the limit if it lets calls take a
   * second before it cancels them, or if at least as many are answered as it cancels; one that
   * hedges, or asks many peers and takes the first answer, may want a greater one from them.
   */
  public int resets() {
    return resets;
  }

  /**
   * How long a peer may leave something half sent without a further byte: 60 s. It holds for a
   * frame and for a message; the HTTP/2 preface (RFC 9113, section 3.4) and a header block (section
   * 4.3), which a caller has ready as a whole, are due within it. A message that does not go on
   * ends its call with {@code DEADLINE_EXCEEDED}; all else resets the stream. While peers wait for
   * room, a message that is longer than a call's window must also come at 4 KiB a second, on
   * average since it got its room.
   *
   * <p>A message that is longer than what is free cannot be received at all: at least twice the
   * longest message is wanted.
   *
   * <p>A caller keeps within the limit if it sends a message once it has all of it. Pauses between
   * messages, and idle streams, have no limit. That a message stalls may be noticed up to as much
   * later. A limit that is shorter than the time after which a silent connection is given up (40 s,
   * see {@code Limits.keepAliveInterval()}) also strikes callers whose network fails for a while.
   */
  public Duration stallTimeout() {
    return stallTimeout;
  }

  /**
   * Bytes that the calls of all peers may hold, unread or of messages that are not complete: half
   * of the heap, and at least 33,554,432. A peer may hold no more than is left free when it has got
   * it, so that one alone has half, and the next always finds something: the call that asks for
   * more ends with {@code RESOURCE_EXHAUSTED}. Half of all can be reserved, by peers in turn, for
   * messages longer than a call's window, which wait for it without harm.
   *
   * <p>A message that is longer than what is free cannot be received at all: at least twice the
   * longest message is wanted.
   *
   * <p>A caller keeps within the limit if what its calls may hold at a time is less: each at most
   * 128 KiB, and all of one stream 24 MiB more; it is less where services read what comes. These
   * are payloads and 256 bytes for each frame; buffers that hold them, which are not on the heap as
   * a rule, may have up to four times their size. Where {@code -XX:MaxDirectMemorySize} allows for
   * less than the heap, this should be smaller, too.
   */
  public long memory() {
    return memory;
  }

  /** What peers have spent of these limits, of nothing so far. */
  PeerBudgets newBudgets() {
    return new PeerBudgets(resets, memory);
  }

  @Override
  public String toString() {
    return "CallLimits[resets="
        + resets
        + ", stallTimeout="
        + DurationText.of(stallTimeout)
        + ", memory="
        + memory
        + "]";
  }

  /** Collects limits. */
  public static final class Builder {
    private int resets;
    private Duration stallTimeout;
    private long memory;

    private Builder(int resets, Duration stallTimeout, long memory) {
      this.resets = resets;
      this.stallTimeout = stallTimeout;
      this.memory = memory;
    }

    /** See {@link CallLimits#resets()}; at least 1. */
    public Builder resets(int calls) {
      if (calls <= 0) {
        throw new IllegalArgumentException("resets must be positive, is " + calls);
      }
      resets = calls;
      return this;
    }

    /** See {@link CallLimits#stallTimeout()}; positive, and at most 365 days. */
    public Builder stallTimeout(Duration timeout) {
      Objects.requireNonNull(timeout, "the stall timeout is null");
      if (timeout.isNegative() || timeout.isZero()) {
        throw new IllegalArgumentException(
            "stallTimeout must be positive, is " + DurationText.of(timeout));
      }
      if (timeout.compareTo(MAX_STALL_TIMEOUT) > 0) {
        throw new IllegalArgumentException(
            "stallTimeout must be at most 365 days, is " + DurationText.of(timeout));
      }
      stallTimeout = timeout;
      return this;
    }

    /** See {@link CallLimits#memory()}; at least 1,048,576 bytes. */
    public Builder memory(long bytes) {
      if (bytes < MIN_MEMORY) {
        throw new IllegalArgumentException(
            "memory must be at least %,d bytes, is %,d".formatted(MIN_MEMORY, bytes));
      }
      memory = bytes;
      return this;
    }

    /** These values, from now on unchangeable. */
    public CallLimits build() {
      return new CallLimits(this);
    }
  }
}
