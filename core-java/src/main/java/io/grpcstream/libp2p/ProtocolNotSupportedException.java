package io.grpcstream.libp2p;

import java.util.List;

/** The peer speaks none of the protocols offered for a stream. The connection stays usable. */
public final class ProtocolNotSupportedException extends Libp2pException {
  private static final long serialVersionUID = 1L;

  private final transient PeerId peer;
  private final transient List<String> protocols;

  /** {@code peer}, at {@code address}, declined each of {@code protocols}. */
  public ProtocolNotSupportedException(PeerId peer, Multiaddr address, List<String> protocols) {
    super(
        "peer %s at %s %s"
            .formatted(
                peer,
                address,
                protocols.size() == 1
                    ? "does not speak " + protocols.get(0)
                    : "speaks none of " + protocols));
    this.peer = peer;
    this.protocols = List.copyOf(protocols);
  }

  /** The peer that was asked. */
  public PeerId peer() {
    return peer;
  }

  /** The protocol ids that were offered, in order of preference. */
  public List<String> protocols() {
    return protocols;
  }
}
