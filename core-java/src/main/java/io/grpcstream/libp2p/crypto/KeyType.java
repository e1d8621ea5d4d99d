package io.grpcstream.libp2p.crypto;

/**
 * The key types of libp2p, with their protobuf enum numbers.
 *
 * @see <a href="https://github.com/libp2p/specs/blob/master/peer-ids/peer-ids.md#key-types">Key
 *     types</a>
 */
public enum KeyType {
  /** RSA of 2,048 to 8,192 bits with SHA-256 and PKCS #1 v1.5 signatures. */
  RSA(0),
  /** Ed25519 (RFC 8032), what every peer must speak. */
  ED25519(1),
  /** ECDSA with SHA-256 on Bitcoin's curve. */
  SECP256K1(2),
  /** ECDSA with SHA-256 on P-256, P-384 or P-521. */
  ECDSA(3);

  private final int number;

  KeyType(int number) {
    this.number = number;
  }

  /** The number of this type in the {@code KeyType} protobuf enum. */
  public int number() {
    return number;
  }

  static KeyType ofNumber(int number) {
    return switch (number) {
      case 0 -> RSA;
      case 1 -> ED25519;
      case 2 -> SECP256K1;
      case 3 -> ECDSA;
      default -> throw new KeyFormatException("key: type " + number + " is not one of 0 to 3");
    };
  }
}
