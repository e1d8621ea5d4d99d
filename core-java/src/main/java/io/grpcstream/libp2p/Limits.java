package io.grpcstream.libp2p;

import io.grpcstream.libp2p.text.DurationText;
import java.time.Duration;
import java.util.Objects;

/**
 * What a host grants its peers before it turns them away. Limits are checked before anything is
 * allocated; see {@link Refusal} for what counts the refusals.
 *
 * <p>The starting values are near those that other libp2p implementations ship. Many are meant for
 * 256 MiB of heap and grow with the heap that the JVM may use: they are multiplied by the number of
 * whole 256 MiB in {@link Runtime#maxMemory()}, and never smaller than for 256 MiB. With the serial
 * collector that is a little less than {@code -Xmx}: {@code -Xmx512m} then counts as one, not two.
 *
 * <table>
 * <caption>All limits, with their starting values</caption>
 * <tr><th>limit</th><th>for 256 MiB</th><th>grows with the heap</th></tr>
 * <tr><td>{@link #connections()}</td><td>1,024</td><td>yes</td></tr>
 * <tr><td>{@link #pendingInboundConnections()}</td><td>128</td><td>yes</td></tr>
 * <tr><td>{@link #connectionsPerPeer()}</td><td>8</td><td>no</td></tr>
 * <tr><td>{@link #connectionsPerAddress()}</td><td>32</td><td>yes</td></tr>
 * <tr><td>{@link #inboundStreams()}</td><td>1,024</td><td>yes</td></tr>
 * <tr><td>{@link #outboundStreams()}</td><td>2,048</td><td>yes</td></tr>
 * <tr><td>{@link #inboundStreamsPerPeer()}</td><td>256</td><td>yes</td></tr>
 * <tr><td>{@link #outboundStreamsPerPeer()}</td><td>512</td><td>yes</td></tr>
 * <tr><td>{@link #inboundStreamsPerProtocol()}</td><td>64</td><td>yes</td></tr>
 * <tr><td>{@link #outboundStreamsPerProtocol()}</td><td>128</td><td>yes</td></tr>
 * <tr><td>{@link #pendingInboundStreams()}</td><td>256</td><td>no</td></tr>
 * <tr><td>{@link #peerInfoBytes()}</td><td>8,388,608</td><td>a 32nd of it</td></tr>
 * <tr><td>{@link #acceptTimeout()}</td><td>15 s</td><td>no</td></tr>
 * <tr><td>{@link #upgradeTimeout()}</td><td>60 s</td><td>no</td></tr>
 * <tr><td>{@link #dialTimeout()}</td><td>15 s</td><td>no</td></tr>
 * <tr><td>{@link #streamNegotiationTimeout()}</td><td>10 s</td><td>no</td></tr>
 * <tr><td>{@link #streamWindow()}</td><td>16,777,216</td><td>no</td></tr>
 * <tr><td>{@link #connectionWindow()}</td><td>67,108,864</td><td>no</td></tr>
 * <tr><td>{@link #keepAliveInterval()}</td><td>30 s</td><td>no</td></tr>
 * <tr><td>{@link #keepAliveTimeout()}</td><td>10 s</td><td>no</td></tr>
 * </table>
 */
public final class Limits {
  // The file is long, but simple: each limit stands once as a getter and once in the builder.

  private static final int MIN_STREAM_WINDOW = 256 << 10;

  /** The heap for which the starting values are meant. */
  private static final long HEAP_UNIT_BYTES = 256L << 20;

  /** The part of the heap that may be filled with what peers tell about themselves. */
  private static final long PEER_INFO_SHARE = 32;

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
    return builder(Runtime.getRuntime().maxMemory());
  }

  /** A builder that holds the starting values for a heap of so many bytes. */
  static Builder builder(long heapBytes) {
    return new Builder(
        Math.max(1, heapBytes / HEAP_UNIT_BYTES), Math.max(1, heapBytes / PEER_INFO_SHARE));
  }

  /** A builder that holds these values. */
  public Builder toBuilder() {
    return values.copy();
  }

  /**
   * Connections in all, those not yet upgraded included: 1,024 per 256 MiB of heap. What comes
   * beyond is turned away; a {@link ConnectionManager} makes room before that.
   */
  public int connections() {
    return values.connections;
  }

  /**
   * Inbound connections that have not proved their peer yet: 128 per 256 MiB of heap. One address
   * (see {@link #connectionsPerAddress()}) may hold an eighth of them, or 8 if that is more, so
   * that none can keep all others out.
   */
  public int pendingInboundConnections() {
    return values.pendingInboundConnections;
  }

  /** Connections with one peer: 8. */
  public int connectionsPerPeer() {
    return values.connectionsPerPeer;
  }

  /**
   * Inbound connections from one IPv4 address or one IPv6 /56, the block a household is commonly
   * given: 32 per 256 MiB of heap. Loopback addresses and memory addresses are not counted.
   *
   * <p>A host that serves many devices behind one NAT, or through one proxy, wants as many as there
   * are devices: they have one address.
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

  /**
   * Inbound streams of one peer, over all its connections: 256 per 256 MiB of heap. Peers use a few
   * for libp2p itself, such as identify as soon as they are connected: with less than 8 or so, a
   * call that comes meanwhile may be refused.
   */
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

  /**
   * Bytes of heap, as this host reckons them, for what all peers told about themselves by identify
   * and where they were reached: a 32nd of the heap. Of one peer at most about 48 KiB are kept
   * while it is connected, and its addresses (at most 32, of 8 KiB) for 10 minutes longer. Beyond
   * this limit peers that have gone are forgotten, the longest gone first, then what the connected
   * peer that has told most has told: its {@link Connection#peerInfo()} is empty from then on.
   */
  public long peerInfoBytes() {
    return values.peerInfoBytes;
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

  /**
   * How often a connection is asked for a sign of life: 30 s; zero for never. A peer that hangs, or
   * that the network has lost, is noticed after at most this and {@link #keepAliveTimeout()}.
   */
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
    private int connections;
    private int pendingInboundConnections;
    private int connectionsPerPeer = 8;
    private int connectionsPerAddress;
    private int inboundStreams;
    private int outboundStreams;
    private int inboundStreamsPerPeer;
    private int outboundStreamsPerPeer;
    private int inboundStreamsPerProtocol;
    private int outboundStreamsPerProtocol;
    private int pendingInboundStreams = 256;
    private long peerInfoBytes;
    private Duration acceptTimeout = Duration.ofSeconds(15);
    private Duration upgradeTimeout = Duration.ofSeconds(60);
    private Duration dialTimeout = Duration.ofSeconds(15);
    private Duration streamNegotiationTimeout = Duration.ofSeconds(10);
    private int streamWindow = 16 << 20;
    private long connectionWindow = 64L << 20;
    private Duration keepAliveInterval = Duration.ofSeconds(30);
    private Duration keepAliveTimeout = Duration.ofSeconds(10);

    private Builder(long scale, long peerInfoBytes) {
      connections = scaled(1_024, scale);
      pendingInboundConnections = scaled(128, scale);
      connectionsPerAddress = scaled(32, scale);
      this.peerInfoBytes = peerInfoBytes;
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

    /** See {@link Limits#peerInfoBytes()}. */
    public Builder peerInfoBytes(long bytes) {
      if (bytes <= 0) {
        throw new IllegalArgumentException("peerInfoBytes must be positive, is " + bytes);
      }
      peerInfoBytes = bytes;
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
      keepAliveInterval =
          required("keepAliveInterval", value).isZero()
              ? value
              : positive("keepAliveInterval", value);
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
      Builder copy = new Builder(1, peerInfoBytes);
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

    private static Duration required(String name, Duration value) {
      return Objects.requireNonNull(value, name + " is null");
    }

    private static Duration positive(String name, Duration value) {
      if (required(name, value).isNegative() || value.isZero()) {
        throw new IllegalArgumentException(
            name + " must be positive, is " + DurationText.of(value));
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
          + ", peerInfoBytes="
          + peerInfoBytes
          + ", acceptTimeout="
          + DurationText.of(acceptTimeout)
          + ", upgradeTimeout="
          + DurationText.of(upgradeTimeout)
          + ", dialTimeout="
          + DurationText.of(dialTimeout)
          + ", streamNegotiationTimeout="
          + DurationText.of(streamNegotiationTimeout)
          + ", windows stream/connection="
          + streamWindow
          + "/"
          + connectionWindow
          + ", keepAlive interval/timeout="
          + DurationText.of(keepAliveInterval)
          + "/"
          + DurationText.of(keepAliveTimeout)
          + "]";
    }
  }
}
