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
 */
public record HostStats(
    int inboundConnections,
    int outboundConnections,
    int pendingInboundConnections,
    int inboundStreams,
    int outboundStreams,
    long bytesReceived,
    long bytesSent,
    Map<Refusal, Long> refusals) {
  /** Copies {@code refusals}. */
  public HostStats {
    refusals = Map.copyOf(Objects.requireNonNull(refusals, "the map of refusals is null"));
  }

  /** How often {@code refusal} happened. */
  public long refusals(Refusal refusal) {
    return refusals.getOrDefault(Objects.requireNonNull(refusal, "the refusal is null"), 0L);
  }
}
