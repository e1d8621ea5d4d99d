package io.grpcstream.libp2p;

import io.grpcstream.libp2p.protocol.identify.Identify;
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
  private static final int RECORD_BYTES = 96;
  private static final int STRING_BYTES = 48;
  private static final int PLACE_BYTES = 8;

  /** Of a peer that has told nothing. */
  static final PeerInfo UNKNOWN = new PeerInfo("", "", List.of(), List.of(), null);

  /** Copies the lists. */
  public PeerInfo {
    Objects.requireNonNull(agentVersion, "the agent version is null");
    Objects.requireNonNull(protocolVersion, "the protocol version is null");
    listenAddresses =
        List.copyOf(Objects.requireNonNull(listenAddresses, "the listen addresses are null"));
    protocols = List.copyOf(Objects.requireNonNull(protocols, "the protocols are null"));
  }

  /** About how many bytes of heap it takes. */
  long heapBytes() {
    long size = RECORD_BYTES + sizeOf(agentVersion) + sizeOf(protocolVersion);
    for (Multiaddr address : listenAddresses) {
      size += PLACE_BYTES + address.heapBytes();
    }
    for (String protocol : protocols) {
      size += PLACE_BYTES + sizeOf(protocol);
    }
    return size + (observedAddress == null ? 0 : observedAddress.heapBytes());
  }

  /** A string and its array; two bytes a character, as one outside Latin-1 is enough for that. */
  private static long sizeOf(String text) {
    return STRING_BYTES + 2L * text.length();
  }

  /** {@code told}, and what it leaves out as it was {@code known} before. */
  static PeerInfo of(Identify told, PeerInfo known) {
    return new PeerInfo(
        told.agentVersion() != null ? told.agentVersion() : known.agentVersion(),
        told.protocolVersion() != null ? told.protocolVersion() : known.protocolVersion(),
        told.listenAddresses().isEmpty() ? known.listenAddresses() : told.listenAddresses(),
        told.protocols().isEmpty() ? known.protocols() : told.protocols(),
        told.observedAddress() != null ? told.observedAddress() : known.observedAddress());
  }
}
