package io.grpcstream.libp2p.mux.yamux;

import java.time.Duration;

/**
 * The limits and times of a yamux session. Immutable; start from {@link #defaults()} and change
 * with {@link #toBuilder()}.
 *
 * @param maxWindow bytes a stream's receive window may grow to, from {@link #INITIAL_WINDOW}
 * @param maxConnectionWindow bytes by which all receive windows of the connection together may grow
 *     above their initial sizes: the connection buffers at most {@code (maxInboundStreams +
 *     maxOutboundStreams) * INITIAL_WINDOW + maxConnectionWindow} bytes of data that nobody reads
 * @param maxFrameData bytes of payload in a data frame we send. A frame that we accept may be as
 *     long as its stream's window
 * @param ackBacklog streams of either side that may be open without having been acknowledged (yamux
 *     spec, "ACK backlog"); more of ours wait, more of the other side's are reset
 * @param maxInboundStreams streams the other side may have open; more are reset
 * @param maxOutboundStreams streams we may have open, with those that wait for the ACK backlog
 * @param keepAliveInterval time between pings; zero sends none, and then windows never grow
 * @param keepAliveTimeout how long a ping may go without an answer and without any other byte from
 *     the peer before the connection is given up
 * @param writeTimeout how long the connection may take nothing of what we send before it is given
 *     up
 * @param closeTimeout how long a stream whose end has begun waits for the other side before it is
 *     reset: for credit to send what is pending, or for FIN. It has the same time again with each
 *     16 KiB that it takes or gives credit for, so that a slow reader may take as long as it needs
 */
public record YamuxConfig(
    int maxWindow,
    long maxConnectionWindow,
    int maxFrameData,
    int ackBacklog,
    int maxInboundStreams,
    int maxOutboundStreams,
    Duration keepAliveInterval,
    Duration keepAliveTimeout,
    Duration writeTimeout,
    Duration closeTimeout) {

  /** The window every stream starts with in both directions, fixed by the specification. */
  public static final int INITIAL_WINDOW = 256 * 1024;

  /**
   * The payload that makes a frame of exactly one full Noise message: 65,519 bytes of plaintext
   * less the 12 of the header. Small enough for streams to take turns, large enough that the header
   * costs nothing.
   */
  public static final int DEFAULT_FRAME_DATA = 65_519 - YamuxHeader.SIZE;

  private static final YamuxConfig DEFAULTS =
      new YamuxConfig(
          16 * 1024 * 1024,
          64L * 1024 * 1024,
          DEFAULT_FRAME_DATA,
          256,
          256,
          512,
          Duration.ofSeconds(30),
          Duration.ofSeconds(10),
          Duration.ofSeconds(10),
          Duration.ofSeconds(10));

  /** Checks every value; see the record's parameters for their meaning. */
  public YamuxConfig {
    atLeast("maxWindow", maxWindow, INITIAL_WINDOW);
    atLeast("maxConnectionWindow", maxConnectionWindow, 0);
    atLeast("maxFrameData", maxFrameData, 1);
    atLeast("ackBacklog", ackBacklog, 1);
    atLeast("maxInboundStreams", maxInboundStreams, 0);
    atLeast("maxOutboundStreams", maxOutboundStreams, 0);
    atLeast("keepAliveInterval in ms", keepAliveInterval.toMillis(), 0);
    atLeast("keepAliveTimeout in ms", keepAliveTimeout.toMillis(), 1);
    atLeast("writeTimeout in ms", writeTimeout.toMillis(), 1);
    atLeast("closeTimeout in ms", closeTimeout.toMillis(), 1);
  }

  private static void atLeast(String name, long value, long least) {
    if (value < least) {
      throw new IllegalArgumentException(name + " is " + value + ", must be at least " + least);
    }
  }

  /**
   * 16 MiB windows within 64 MiB a connection, frames of one Noise message, 256 unacknowledged
   * streams, 256 inbound and 512 outbound streams, pings every 30 s, and 10 s for everything that
   * times out.
   */
  public static YamuxConfig defaults() {
    return DEFAULTS;
  }

  /** A builder that starts with this configuration's values. */
  public Builder toBuilder() {
    return new Builder(this);
  }

  /** Changes some values of a configuration; the record's parameters give their meaning. */
  public static final class Builder {
    private int maxWindow;
    private long maxConnectionWindow;
    private int maxFrameData;
    private int ackBacklog;
    private int maxInboundStreams;
    private int maxOutboundStreams;
    private Duration keepAliveInterval;
    private Duration keepAliveTimeout;
    private Duration writeTimeout;
    private Duration closeTimeout;

    private Builder(YamuxConfig from) {
      maxWindow = from.maxWindow;
      maxConnectionWindow = from.maxConnectionWindow;
      maxFrameData = from.maxFrameData;
      ackBacklog = from.ackBacklog;
      maxInboundStreams = from.maxInboundStreams;
      maxOutboundStreams = from.maxOutboundStreams;
      keepAliveInterval = from.keepAliveInterval;
      keepAliveTimeout = from.keepAliveTimeout;
      writeTimeout = from.writeTimeout;
      closeTimeout = from.closeTimeout;
    }

    /** Bytes, at least {@link #INITIAL_WINDOW}. */
    public Builder maxWindow(int bytes) {
      maxWindow = bytes;
      return this;
    }

    /** Bytes; zero keeps every window at {@link #INITIAL_WINDOW}. */
    public Builder maxConnectionWindow(long bytes) {
      maxConnectionWindow = bytes;
      return this;
    }

    /** Bytes, at least 1. */
    public Builder maxFrameData(int bytes) {
      maxFrameData = bytes;
      return this;
    }

    /** Streams, at least 1. */
    public Builder ackBacklog(int streams) {
      ackBacklog = streams;
      return this;
    }

    /** Streams; zero refuses all. */
    public Builder maxInboundStreams(int streams) {
      maxInboundStreams = streams;
      return this;
    }

    /** Streams; zero refuses all. */
    public Builder maxOutboundStreams(int streams) {
      maxOutboundStreams = streams;
      return this;
    }

    /** Zero for no pings. */
    public Builder keepAliveInterval(Duration interval) {
      keepAliveInterval = interval;
      return this;
    }

    /** At least a millisecond. */
    public Builder keepAliveTimeout(Duration timeout) {
      keepAliveTimeout = timeout;
      return this;
    }

    /** At least a millisecond. */
    public Builder writeTimeout(Duration timeout) {
      writeTimeout = timeout;
      return this;
    }

    /** At least a millisecond. */
    public Builder closeTimeout(Duration timeout) {
      closeTimeout = timeout;
      return this;
    }

    /** The configuration; throws {@link IllegalArgumentException} naming a value out of range. */
    public YamuxConfig build() {
      return new YamuxConfig(
          maxWindow,
          maxConnectionWindow,
          maxFrameData,
          ackBacklog,
          maxInboundStreams,
          maxOutboundStreams,
          keepAliveInterval,
          keepAliveTimeout,
          writeTimeout,
          closeTimeout);
    }
  }
}
