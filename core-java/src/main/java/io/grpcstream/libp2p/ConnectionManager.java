package io.grpcstream.libp2p;

import io.grpcstream.libp2p.text.DurationText;
import java.time.Duration;
import java.util.Objects;

/**
 * Which connections a host closes by itself, because they are worth least: as go-libp2p's
 * connection manager does above its high-water mark, and as rust-libp2p does with idle ones. The
 * default is {@link #none()}: a host closes nothing by itself. A peer that waits to be called, as
 * behind a NAT, has an idle connection that nobody but the user knows to be worth something. {@link
 * Limits#connections()} bounds the connections in any case, but turns newcomers away where this
 * makes room for them.
 *
 * <pre>{@code
 * Host.builder()
 *     .connectionManager(
 *         ConnectionManager.builder().waterMarks(600, 900).idleTimeout(Duration.ofMinutes(10)).build())
 * }</pre>
 *
 * <p><b>What is closed.</b> Only connections that are <em>unused</em>: with no open stream of a
 * user, in either direction, and none being negotiated. What a host does by itself (identify, and
 * answers to pings) uses no connection. One with an open stream is never closed, however quiet the
 * stream is: a call may wait on it for hours. go-libp2p closes those, too, where nothing else is
 * left; here {@link Limits} bound them, and whoever has the streams knows better when they may end.
 * The transport of a gRPC channel is an open stream, which the channel closes when it has had no
 * call for its {@code idleTimeout} (30 minutes by default; {@code maxConnectionIdle} is the
 * server's word for it); from then on the connection is unused.
 *
 * <p>Connections with {@linkplain Host#protect protected} peers, and with those that are
 * {@linkplain Host#keepConnected kept connected}, are never closed either.
 *
 * <p><b>How.</b> As by {@link Connection#close()}: the peer is told. A stream that is opened by
 * {@link Host#newStream} at that moment is not lost: either the connection stays, or it comes over
 * another one. The same holds for what this library's peers open; others see a connection that ends
 * before the stream is agreed on. The next call to the peer makes a new connection, for which the
 * host must know an address: those that it was given it keeps, and those that it learned from
 * connections for 10 minutes ({@link Host#addresses}). Listeners hear {@link
 * ConnectionListener#onDisconnected}; {@link HostStats#upkeep()} counts.
 */
public final class ConnectionManager {
  private static final ConnectionManager NONE = builder().build();

  /** More than that is never, and nanoseconds still hold it. */
  private static final Duration LONGEST = Duration.ofDays(365);

  private final Builder values;

  private ConnectionManager(Builder values) {
    this.values = values.copy();
  }

  /** One that closes nothing. */
  public static ConnectionManager none() {
    return NONE;
  }

  /** A builder of one that closes nothing yet. */
  public static Builder builder() {
    return new Builder();
  }

  /** A builder that holds these values. */
  public Builder toBuilder() {
    return values.copy();
  }

  /**
   * Down to so many connections a trim goes, at most; zero if none is trimmed. As in go-libp2p,
   * connections that may not be trimmed (those with protected peers, and fresh ones) do not count
   * for this: a crowd of newcomers drives away no more of the old ones than a few would.
   */
  public int lowWater() {
    return values.lowWater;
  }

  /** With more connections than so many, whichever, a trim begins; zero for never. */
  public int highWater() {
    return values.highWater;
  }

  /** How old a connection must be to be trimmed: 1 minute. Its peer may be about to use it. */
  public Duration gracePeriod() {
    return values.gracePeriod;
  }

  /**
   * How long there is no other trim after one: 10 s. If a trim could not go below the high-water
   * mark, this is when the next one tries.
   */
  public Duration silencePeriod() {
    return values.silencePeriod;
  }

  /**
   * How long a connection may be unused, whatever the water marks; zero, which is the default, for
   * ever. It is closed at most a tenth of that later. To open a stream, to connect to the peer and
   * to ping it through {@link Host} begin the time anew.
   */
  public Duration idleTimeout() {
    return values.idleTimeout;
  }

  @Override
  public String toString() {
    return "ConnectionManager[waterMarks=%d/%d, gracePeriod=%s, silencePeriod=%s, idleTimeout=%s]"
        .formatted(
            lowWater(),
            highWater(),
            DurationText.of(gracePeriod()),
            DurationText.of(silencePeriod()),
            idleTimeout().isZero() ? "none" : DurationText.of(idleTimeout()));
  }

  /** Collects the values. Not thread-safe. */
  public static final class Builder {
    private int lowWater;
    private int highWater;
    private Duration gracePeriod = Duration.ofMinutes(1);
    private Duration silencePeriod = Duration.ofSeconds(10);
    private Duration idleTimeout = Duration.ZERO;

    private Builder() {}

    /**
     * See {@link ConnectionManager#lowWater()} and {@link ConnectionManager#highWater()}; two zeros
     * for no trimming. The high-water mark must be below {@link Limits#connections()} of the host,
     * or there would be no room left above it.
     *
     * @throws IllegalArgumentException unless {@code 0 < low <= high}, or both are zero
     */
    public Builder waterMarks(int low, int high) {
      boolean off = low == 0 && high == 0;
      if (!off && (low <= 0 || high < low)) {
        throw new IllegalArgumentException(
            "water marks must be positive, and low not above high: are %d and %d"
                .formatted(low, high));
      }
      lowWater = low;
      highWater = high;
      return this;
    }

    /** See {@link ConnectionManager#gracePeriod()}; at most 365 days, zero for none. */
    public Builder gracePeriod(Duration value) {
      gracePeriod = checked("gracePeriod", value);
      return this;
    }

    /** See {@link ConnectionManager#silencePeriod()}; at most 365 days. */
    public Builder silencePeriod(Duration value) {
      if (checked("silencePeriod", value).isZero()) {
        throw new IllegalArgumentException("silencePeriod must be positive, is 0");
      }
      silencePeriod = value;
      return this;
    }

    /** See {@link ConnectionManager#idleTimeout()}; at most 365 days, zero for none. */
    public Builder idleTimeout(Duration value) {
      idleTimeout = checked("idleTimeout", value);
      return this;
    }

    /** These values, from now on unchangeable. */
    public ConnectionManager build() {
      return new ConnectionManager(this);
    }

    private Builder copy() {
      Builder copy = new Builder();
      copy.lowWater = lowWater;
      copy.highWater = highWater;
      copy.gracePeriod = gracePeriod;
      copy.silencePeriod = silencePeriod;
      copy.idleTimeout = idleTimeout;
      return copy;
    }

    private static Duration checked(String name, Duration value) {
      if (Objects.requireNonNull(value, name + " is null").isNegative()
          || value.compareTo(LONGEST) > 0) {
        throw new IllegalArgumentException(
            "%s must be between 0 and 365 days, is %s".formatted(name, DurationText.of(value)));
      }
      return value;
    }
  }
}
