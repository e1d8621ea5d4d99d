package io.grpcstream.libp2p.crypto;

/** The key types of the libp2p peer-ids specification, with their protobuf enum numbers. */
public enum KeyType {
  RSA(0),
  ED25519(1),
  SECP256K1(2),
  ECDSA(3);

  private final int number;

  KeyType(int number) {
    this.number = number;
  }

  /** The number of this type in the {@code KeyType} protobuf enum. */
  public int number() {
    return number;
  }
}
