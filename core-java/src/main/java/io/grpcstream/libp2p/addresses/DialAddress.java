package io.grpcstream.libp2p.addresses;

import io.grpcstream.libp2p.Multiaddr;

/**
 * An address to dial, with how far its word goes.
 *
 * @param address where to dial, without a peer id
 * @param least the narrowest scope that what it stands for may have; {@link AddressScope#MACHINE}
 *     for addresses that the user gave, or at which the peer has been
 */
public record DialAddress(Multiaddr address, AddressScope least) {
  /** An address that may lead anywhere. */
  public static DialAddress trusted(Multiaddr address) {
    return new DialAddress(address, AddressScope.MACHINE);
  }
}
