package io.grpcstream.target;

import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import java.net.SocketAddress;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A peer to open a stream to, as gRPC's kind of address. Two of them are equal if peer and protocol
 * are: where the peer may be found does not matter for who it is, and a stream that stands is not
 * given up because another address has become known.
 */
public final class PeerTargetAddress extends SocketAddress {
  private static final long serialVersionUID = 1L;

  private final transient PeerId peer;
  private final transient List<Multiaddr> addresses;
  private final String protocol;

  /**
   * A peer.
   *
   * @param addresses where it may be, beside what its host knows
   * @param protocol the protocol id of the streams to it
   */
  public PeerTargetAddress(PeerId peer, List<Multiaddr> addresses, String protocol) {
    this.peer = peer;
    this.addresses = List.copyOf(addresses);
    this.protocol = protocol;
  }

  public PeerId peer() {
    return peer;
  }

  public List<Multiaddr> addresses() {
    return addresses;
  }

  public String protocol() {
    return protocol;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof PeerTargetAddress that
        && peer.equals(that.peer)
        && protocol.equals(that.protocol);
  }

  @Override
  public int hashCode() {
    return Objects.hash(peer, protocol);
  }

  /** As it stands in gRPC's own messages and in channelz. */
  @Override
  public String toString() {
    return PeerTarget.of(peer, addresses, protocol);
  }
}
