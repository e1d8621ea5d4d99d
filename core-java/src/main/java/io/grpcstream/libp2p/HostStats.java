package io.grpcstream.libp2p;

import java.util.Map;
import java.util.Objects;

/**
 * What a host holds at one moment, and what it has refused since it was built. The figures are read
 * one after another, without a lock.
 *
 * @param inboundConnections live connections that peers opened
 * @param outboundConnections live connections that this host opened
 * @param pendingInboundConnections inbound connections whose peer is not proven yet
 * @param inboundStreams open streams that peers opened, those still negotiating included
 * @param outboundStreams open streams that this host opened, those still negotiating included
 * @param bytesReceived what all connections have brought, their encryption and handshakes included;
 *     counted where the host has a {@link HostObserver}, else 0
 * @param bytesSent the same for what they were given to send
 * @param refusals how often each refusal happened; reasons that never happened are absent
 * @param upkeep what the host has closed and dialled by itself
 */
public record HostStats(
    int inboundConnections,
    int outboundConnections,
    int pendingInboundConnections,
    int inboundStreams,
    int outboundStreams,
    long bytesReceived,
    long bytesSent,
    Map<Refusal, Long> refusals,
    Upkeep upkeep) {
  /** Copies {@code refusals}. */
  public HostStats {
    Objects.requireNonNull(upkeep, "the upkeep is null");
    refusals = Map.copyOf(Objects.requireNonNull(refusals, "the map of refusals is null"));
  }

  /** Of a host that counts no bytes, and closes and dials nothing by itself. */
  public HostStats(
      int inboundConnections,
      int outboundConnections,
      int pendingInboundConnections,
      int inboundStreams,
      int outboundStreams,
      Map<Refusal, Long> refusals) {
    this(
        inboundConnections,
        outboundConnections,
        pendingInboundConnections,
        inboundStreams,
        outboundStreams,
        0,
        0,
        refusals,
        Upkeep.NONE);
  }

  /** The same with {@code upkeep}. */
  public HostStats withUpkeep(Upkeep upkeep) {
    return new HostStats(
        inboundConnections,
        outboundConnections,
        pendingInboundConnections,
        inboundStreams,
        outboundStreams,
        bytesReceived,
        bytesSent,
        refusals,
        Objects.requireNonNull(upkeep, "the upkeep is null"));
  }

  /** How often {@code refusal} happened. */
  public long refusals(Refusal refusal) {
    return refusals.getOrDefault(Objects.requireNonNull(refusal, "the refusal is null"), 0L);
  }

  /**
   * What a host has closed and dialled by itself; see {@link ConnectionManager} and {@link
   * Host#keepConnected(PeerId)}.
   *
   * @param trimmed connections closed above the high-water mark, since the host was built
   * @param idleClosed connections closed as they were unused for long, since the host was built
   * @param keptPeers peers that are to be kept connected now
   * @param keptPeersConnected those of them that are connected now
   * @param keptDials dials made to keep peers connected, since the host was built
   */
  public record Upkeep(
      long trimmed, long idleClosed, int keptPeers, int keptPeersConnected, long keptDials) {
    /** Of a host that closes and dials nothing by itself. */
    public static final Upkeep NONE = new Upkeep(0, 0, 0, 0, 0);
  }
}
