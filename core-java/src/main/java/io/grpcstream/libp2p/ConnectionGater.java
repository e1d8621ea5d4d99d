package io.grpcstream.libp2p;

import org.jspecify.annotations.Nullable;

/**
 * Decides which connections a host makes. Each hook may be asked from any event loop of the host,
 * by several at once, and must not block. A hook that throws refuses. Every refusal is counted (see
 * {@link HostStats}) and logged.
 */
public interface ConnectionGater {
  /** A gater that lets everything pass. */
  ConnectionGater ALLOW_ALL = new ConnectionGater() {};

  /**
   * Asked before {@code address} is dialled (and before a name in it is looked up).
   *
   * @param peer the peer wanted there, or null if any identity will be taken
   */
  default boolean allowDial(@Nullable PeerId peer, Multiaddr address) {
    return true;
  }

  /** Asked when a raw connection has come in, before a byte of it is read. */
  default boolean allowAccept(Multiaddr remoteAddress) {
    return true;
  }

  /**
   * Asked inside the handshake, as soon as the other side has proved its identity, for connections
   * of both directions.
   *
   * @param initiator whether this host dialled
   */
  default boolean allowPeer(PeerId peer, Multiaddr remoteAddress, boolean initiator) {
    return true;
  }
}
