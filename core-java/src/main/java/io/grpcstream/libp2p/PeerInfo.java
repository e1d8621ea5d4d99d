package io.grpcstream.libp2p;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a peer told about itself by the identify protocol. It is the peer's word and proves nothing.
 * Of one that tells more than a host keeps, some is left out: see {@link Limits#peerInfoBytes()}.
 *
 * @param agentVersion the implementation, such as {@code go-libp2p/0.48.0}; empty if not told
 * @param protocolVersion the family of protocols, such as {@code ipfs/0.1.0}; empty if not told
 * @param listenAddresses where the peer says it listens
 * @param protocols the protocols of which the peer says it takes streams
 * @param observedAddress the address at which the peer sees this host, if it told
 */
public record PeerInfo(
    String agentVersion,
    String protocolVersion,
    List<Multiaddr> listenAddresses,
    List<String> protocols,
    @Nullable Multiaddr observedAddress) {
  /** Copies the lists. */
  public PeerInfo {
    Objects.requireNonNull(agentVersion, "the agent version is null");
    Objects.requireNonNull(protocolVersion, "the protocol version is null");
    listenAddresses =
        List.copyOf(Objects.requireNonNull(listenAddresses, "the listen addresses are null"));
    protocols = List.copyOf(Objects.requireNonNull(protocols, "the protocols are null"));
  }
}
