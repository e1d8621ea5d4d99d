package io.grpcstream.libp2p;

import io.grpcstream.libp2p.crypto.PublicKey;

/** The multihash that names a libp2p peer. */
public final class PeerId {
  private PeerId() {}

  public static PeerId parse(String text) {
    throw new UnsupportedOperationException();
  }

  public static PeerId fromBytes(byte[] multihash) {
    throw new UnsupportedOperationException();
  }

  public static PeerId of(PublicKey key) {
    throw new UnsupportedOperationException();
  }

  public String toCid() {
    throw new UnsupportedOperationException();
  }

  public byte[] bytes() {
    throw new UnsupportedOperationException();
  }
}
