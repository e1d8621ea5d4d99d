package io.grpcstream.libp2p.protocol.identify;

import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.crypto.PublicKey;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a peer tells about itself. Every part may be missing, as in a push that tells only what has
 * changed: null, or an empty list, then means "nothing said", not "none".
 *
 * <p>All of it is the peer's word, except that {@link #publicKey()}, where present, has been
 * checked to be the key of the peer that the connection proved. Signed peer records are skipped.
 *
 * @param protocolVersion the family of protocols, such as {@code ipfs/0.1.0}
 * @param agentVersion the implementation, such as {@code go-libp2p/0.48.0}
 * @param publicKey the peer's identity key
 * @param listenAddresses where the peer listens; those that could not be read are left out
 * @param observedAddress the address that the receiver of this message was seen at
 * @param protocols the protocols that the peer takes inbound streams of
 */
public record Identify(
    @Nullable String protocolVersion,
    @Nullable String agentVersion,
    @Nullable PublicKey publicKey,
    List<Multiaddr> listenAddresses,
    @Nullable Multiaddr observedAddress,
    List<String> protocols) {
  /** Copies the lists. */
  public Identify {
    listenAddresses = List.copyOf(listenAddresses);
    protocols = List.copyOf(protocols);
  }

  /** The same, with another observed address. */
  public Identify withObservedAddress(@Nullable Multiaddr address) {
    return new Identify(
        protocolVersion, agentVersion, publicKey, listenAddresses, address, protocols);
  }
}
