package io.grpcstream;

import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import java.net.SocketAddress;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A peer and where it is, as gRPC's socket address: what {@link
 * io.grpc.Grpc#TRANSPORT_ATTR_REMOTE_ADDR} and {@link io.grpc.Grpc#TRANSPORT_ATTR_LOCAL_ADDR} hold.
 *
 * <p>gRPC's channelz has both of a transport in the name of its socket's security. As the socket's
 * own addresses it shows those of the connection below the stream, such as the IP addresses and
 * ports of TCP: grpc-netty takes them from the Netty channel and lets nobody replace them.
 */
public final class PeerAddress extends SocketAddress {
  private static final long serialVersionUID = 1L;

  private final transient PeerId peerId;
  private final transient Multiaddr multiaddr;

  /** The address of {@code peerId} at {@code multiaddr}. */
  public PeerAddress(PeerId peerId, Multiaddr multiaddr) {
    this.peerId = Objects.requireNonNull(peerId, "the peer is null");
    this.multiaddr = Objects.requireNonNull(multiaddr, "the address is null");
  }

  /** The peer: the remote one has proven this id in the libp2p handshake. */
  public PeerId peerId() {
    return peerId;
  }

  /** Where the peer is, as far as the connection knows. */
  public Multiaddr multiaddr() {
    return multiaddr;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof PeerAddress that
        && peerId.equals(that.peerId)
        && multiaddr.equals(that.multiaddr);
  }

  @Override
  public int hashCode() {
    return Objects.hash(peerId, multiaddr);
  }

  /** The multiaddr with the peer id as its {@code /p2p} part. */
  @Override
  public String toString() {
    return multiaddr.peerId().isPresent()
        ? multiaddr.toString()
        : multiaddr.withPeerId(peerId).toString();
  }
}
