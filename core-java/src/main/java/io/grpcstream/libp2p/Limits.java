package io.grpcstream.libp2p;

import java.time.Duration;

/**
 * What a host grants its peers before it turns them away. Limits are checked before anything is
 * allocated; see {@link Refusal} for what counts the refusals.
 *
 * <p>The starting values are those that other libp2p implementations ship. The limits of streams
 * are meant for 256 MiB of heap and grow in proportion to the heap the JVM may use; the limits of
 * connections do not grow.
 */
public final class Limits {
  private static final int MIN_STREAM_WINDOW = 256 << 10;

  private final Builder values;

  private Limits(Builder values) {
    this.values = values.copy();
  }

  /** The starting values, for this JVM's heap. */
  public static Limits defaults() {
    return builder().build();
  }

  /** A builder that holds the starting values, for this JVM's heap. */
  public static Builder builder() {
    return new Builder(Math.max(1, Runtime.getRuntime().maxMemory() / (256L << 20)));
  }

  /** A builder that holds these values. */
  public Builder toBuilder() {
    return values.copy();
  }

  /** Connections in all, those not yet upgraded included: 1,024. */
  public int connections() {
    return values.connections;
  }

  /** Inbound connections that have not proved their peer yet: 128. */
  public int pendingInboundConnections() {
    return values.pendingInboundConnections;
  }

  /** Connections with one peer: 8. */
  public int connectionsPerPeer() {
    return values.connectionsPerPeer;
  }

  /**
   * Inbound connections from one IPv4 address or one IPv6 /56, the block a household is commonly
   * given: 8. Loopback addresses and memory addresses are not counted.
   */
  public int connectionsPerAddress() {
    return values.connectionsPerAddress;
  }

  /** Inbound streams in all: 1,024 per 256 MiB of heap. */
  public int inboundStreams() {
    return values.inboundStreams;
  }

  /** Outbound streams in all: 2,048 per 256 MiB of heap. */
  public int outboundStreams() {
    return values.outboundStreams;
  }

  /** Inbound streams of one peer: 256 per 256 MiB of heap. */
  public int inboundStreamsPerPeer() {
    return values.inboundStreamsPerPeer;
  }

  /** Outbound streams to one peer: 512 per 256 MiB of heap. */
  public int outboundStreamsPerPeer() {
    return values.outboundStreamsPerPeer;
  }

  /** Inbound streams of one protocol and one peer: 64 per 256 MiB of heap. */
  public int inboundStreamsPerProtocol() {
    return values.inboundStreamsPerProtocol;
  }

  /** Outbound streams of one protocol and to one peer: 128 per 256 MiB of heap. */
  public int outboundStreamsPerProtocol() {
    return values.outboundStreamsPerProtocol;
  }

  /** Inbound streams of one peer that have not agreed on a protocol yet: 256, whatever the heap. */
  public int pendingInboundStreams() {
    return values.pendingInboundStreams;
  }

  /** How long an inbound connection may take until its peer is proven: 15 s. */
  public Duration acceptTimeout() {
    return values.acceptTimeout;
  }

  /** How long an inbound connection may take until it is ready for streams: 60 s. */
  public Duration upgradeTimeout() {
    return values.upgradeTimeout;
  }

  /** How long a dial may take, over all addresses of the peer and with the upgrade: 15 s. */
  public Duration dialTimeout() {
    return values.dialTimeout;
  }

  /** How long a stream may take to agree on its protocol: 10 s. */
  public Duration streamNegotiationTimeout() {
    return values.streamNegotiationTimeout;
  }

  /**
   * Bytes that a peer may send ahead on one stream, at most: 16 MiB. Every stream starts with 256
   * KiB, the least value, and grows as its reader keeps up.
   */
  public int streamWindow() {
    return values.streamWindow;
  }

  /**
   * Bytes by which the windows of all streams of one connection together may exceed the 256 KiB
   * that each starts with: 64 MiB. What a peer can make this host buffer on one connection is this
   * plus 256 KiB for each stream; and what the streams' users hold of it, which is bounded by them
   * (for gRPC see {@code GrpcStream}).
   */
  public long connectionWindow() {
    return values.connectionWindow;
  }

  /** How often an idle connection is asked for a sign of life: 30 s; zero for never. */
  public Duration keepAliveInterval() {
    return values.keepAliveInterval;
  }

  /** How long that sign may take before the connection is given up: 10 s. */
  public Duration keepAliveTimeout() {
    return values.keepAliveTimeout;
  }

  @Override
  public String toString() {
    return "Limits" + values;
  }

  /** Collects limits; each must be positive. */
  public static final class Builder {
    private int connections = 1_024;
    private int pendingInboundConnections = 128;
    private int connectionsPerPeer = 8;
    private int connectionsPerAddress = 8;
    private int inboundStreams;
    private int outboundStreams;
    private int inboundStreamsPerPeer;
    private int outboundStreamsPerPeer;
    private int inboundStreamsPerProtocol;
    private int outboundStreamsPerProtocol;
    private int pendingInboundStreams = 256;
    private Duration acceptTimeout = Duration.ofSeconds(15);
    private Duration upgradeTimeout = Duration.ofSeconds(60);
    private Duration dialTimeout = Duration.ofSeconds(15);
    private Duration streamNegotiationTimeout = Duration.ofSeconds(10);
    private int streamWindow = 16 << 20;
    private long connectionWindow = 64L << 20;
    private Duration keepAliveInterval = Duration.ofSeconds(30);
    private Duration keepAliveTimeout = Duration.ofSeconds(10);

    private Builder(long scale) {
      inboundStreams = scaled(1_024, scale);
      outboundStreams = scaled(2_048, scale);
      inboundStreamsPerPeer = scaled(256, scale);
      outboundStreamsPerPeer = scaled(512, scale);
      inboundStreamsPerProtocol = scaled(64, scale);
      outboundStreamsPerProtocol = scaled(128, scale);
    }

    private static int scaled(int value, long scale) {
      return (int) Math.min(Integer.MAX_VALUE, value * scale);
    }

    /** See {@link Limits#connections()}. */
    public Builder connections(int value) {
      connections = positive("connections", value);
      return this;
    }

    /** See {@link Limits#pendingInboundConnections()}. */
    public Builder pendingInboundConnections(int value) {
      pendingInboundConnections = positive("pendingInboundConnections", value);
      return this;
    }

    /** See {@link Limits#connectionsPerPeer()}. */
    public Builder connectionsPerPeer(int value) {
      connectionsPerPeer = positive("connectionsPerPeer", value);
      return this;
    }

    /** See {@link Limits#connectionsPerAddress()}. */
    public Builder connectionsPerAddress(int value) {
      connectionsPerAddress = positive("connectionsPerAddress", value);
      return this;
    }

    /** See {@link Limits#inboundStreams()}. */
    public Builder inboundStreams(int value) {
      inboundStreams = positive("inboundStreams", value);
      return this;
    }

    /** See {@link Limits#outboundStreams()}. */
    public Builder outboundStreams(int value) {
      outboundStreams = positive("outboundStreams", value);
      return this;
    }

    /** See {@link Limits#inboundStreamsPerPeer()}. */
    public Builder inboundStreamsPerPeer(int value) {
      inboundStreamsPerPeer = positive("inboundStreamsPerPeer", value);
      return this;
    }

    /** See {@link Limits#outboundStreamsPerPeer()}. */
    public Builder outboundStreamsPerPeer(int value) {
      outboundStreamsPerPeer = positive("outboundStreamsPerPeer", value);
      return this;
    }

    /** See {@link Limits#inboundStreamsPerProtocol()}. */
    public Builder inboundStreamsPerProtocol(int value) {
      inboundStreamsPerProtocol = positive("inboundStreamsPerProtocol", value);
      return this;
    }

    /** See {@link Limits#outboundStreamsPerProtocol()}. */
    public Builder outboundStreamsPerProtocol(int value) {
      outboundStreamsPerProtocol = positive("outboundStreamsPerProtocol", value);
      return this;
    }

    /** See {@link Limits#pendingInboundStreams()}. */
    public Builder pendingInboundStreams(int value) {
      pendingInboundStreams = positive("pendingInboundStreams", value);
      return this;
    }

    /** See {@link Limits#acceptTimeout()}. */
    public Builder acceptTimeout(Duration value) {
      acceptTimeout = positive("acceptTimeout", value);
      return this;
    }

    /** See {@link Limits#upgradeTimeout()}. */
    public Builder upgradeTimeout(Duration value) {
      upgradeTimeout = positive("upgradeTimeout", value);
      return this;
    }

    /** See {@link Limits#dialTimeout()}. */
    public Builder dialTimeout(Duration value) {
      dialTimeout = positive("dialTimeout", value);
      return this;
    }

    /** See {@link Limits#streamNegotiationTimeout()}. */
    public Builder streamNegotiationTimeout(Duration value) {
      streamNegotiationTimeout = positive("streamNegotiationTimeout", value);
      return this;
    }

    /** See {@link Limits#streamWindow()}; at least 256 KiB. */
    public Builder streamWindow(int bytes) {
      if (bytes < MIN_STREAM_WINDOW) {
        throw new IllegalArgumentException(
            "streamWindow must be at least " + MIN_STREAM_WINDOW + ", is " + bytes);
      }
      streamWindow = bytes;
      return this;
    }

    /** See {@link Limits#connectionWindow()}; zero keeps every stream at 256 KiB. */
    public Builder connectionWindow(long bytes) {
      if (bytes < 0) {
        throw new IllegalArgumentException("connectionWindow must not be negative, is " + bytes);
      }
      connectionWindow = bytes;
      return this;
    }

    /** See {@link Limits#keepAliveInterval()}; zero for no signs of life. */
    public Builder keepAliveInterval(Duration value) {
      keepAliveInterval = value.isZero() ? value : positive("keepAliveInterval", value);
      return this;
    }

    /** See {@link Limits#keepAliveTimeout()}. */
    public Builder keepAliveTimeout(Duration value) {
      keepAliveTimeout = positive("keepAliveTimeout", value);
      return this;
    }

    /** These values, from now on unchangeable. */
    public Limits build() {
      return new Limits(this);
    }

    private Builder copy() {
      Builder copy = new Builder(1);
      copy.connections = connections;
      copy.pendingInboundConnections = pendingInboundConnections;
      copy.connectionsPerPeer = connectionsPerPeer;
      copy.connectionsPerAddress = connectionsPerAddress;
      copy.inboundStreams = inboundStreams;
      copy.outboundStreams = outboundStreams;
      copy.inboundStreamsPerPeer = inboundStreamsPerPeer;
      copy.outboundStreamsPerPeer = outboundStreamsPerPeer;
      copy.inboundStreamsPerProtocol = inboundStreamsPerProtocol;
      copy.outboundStreamsPerProtocol = outboundStreamsPerProtocol;
      copy.pendingInboundStreams = pendingInboundStreams;
      copy.acceptTimeout = acceptTimeout;
      copy.upgradeTimeout = upgradeTimeout;
      copy.dialTimeout = dialTimeout;
      copy.streamNegotiationTimeout = streamNegotiationTimeout;
      copy.streamWindow = streamWindow;
      copy.connectionWindow = connectionWindow;
      copy.keepAliveInterval = keepAliveInterval;
      copy.keepAliveTimeout = keepAliveTimeout;
      return copy;
    }

    private static int positive(String name, int value) {
      if (value <= 0) {
        throw new IllegalArgumentException(name + " must be positive, is " + value);
      }
      return value;
    }

    private static Duration positive(String name, Duration value) {
      if (value.isNegative() || value.isZero()) {
        throw new IllegalArgumentException(name + " must be positive, is " + value);
      }
      return value;
    }

    @Override
    public String toString() {
      return "[connections="
          + connections
          + ", pendingInbound="
          + pendingInboundConnections
          + ", perPeer="
          + connectionsPerPeer
          + ", perAddress="
          + connectionsPerAddress
          + ", streams in/out="
          + inboundStreams
          + "/"
          + outboundStreams
          + ", perPeer="
          + inboundStreamsPerPeer
          + "/"
          + outboundStreamsPerPeer
          + ", perProtocol="
          + inboundStreamsPerProtocol
          + "/"
          + outboundStreamsPerProtocol
          + ", pendingInboundStreams="
          + pendingInboundStreams
          + "]";
    }
  }
}
