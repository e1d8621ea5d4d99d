package io.grpcstream.libp2p.crypto;

/** A libp2p public key: verifies signatures and gives the bytes a peer id is made of. */
public abstract class PublicKey {
  public abstract KeyType type();

  /** The {@code Data} field of the key's protobuf form. */
  public abstract byte[] raw();

  /**
   * Whether {@code signature} is this key's signature over {@code message}. Never throws on bad
   * input.
   */
  public abstract boolean verify(byte[] message, byte[] signature);

  /** The deterministic libp2p protobuf form. */
  public byte[] marshal() {
    throw new UnsupportedOperationException();
  }

  /** The multihash that is this key's peer id. */
  public byte[] peerIdBytes() {
    throw new UnsupportedOperationException();
  }

  public static PublicKey unmarshal(byte[] protobuf) {
    throw new UnsupportedOperationException();
  }
}
