package io.grpcstream.libp2p;

/** The known addresses of peers, bounded. */
final class AddressBook {
  /** Addresses kept for one peer. */
  static final int MAX_ADDRESSES_PER_PEER = 32;

  /** Peers whose addresses are kept. */
  static final int MAX_PEERS = 1_024;

  private AddressBook() {}
}
