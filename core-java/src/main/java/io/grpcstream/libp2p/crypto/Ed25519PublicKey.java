package io.grpcstream.libp2p.crypto;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.spec.X509EncodedKeySpec;
import java.util.HexFormat;

/** Ed25519 (RFC 8032): the 32 bytes of a point. */
final class Ed25519PublicKey extends PublicKey {
  static final int BYTES = 32;
  static final String ALGORITHM = "Ed25519";

  private static final int SIGNATURE_BYTES = 64;

  /** What RFC 8410 puts before the point to make it a SubjectPublicKeyInfo. */
  private static final byte[] X509_PREFIX = HexFormat.of().parseHex("302a300506032b6570032100");

  private final byte[] point;
  private final java.security.PublicKey key;

  private Ed25519PublicKey(byte[] point, java.security.PublicKey key) {
    this.point = point;
    this.key = key;
  }

  static Ed25519PublicKey parse(byte[] point) {
    if (point.length != BYTES) {
      throw new KeyFormatException(
          "Ed25519 public key: " + point.length + " bytes, expected " + BYTES);
    }
    try {
      byte[] encoded = Bytes.concat(X509_PREFIX, point);
      KeyFactory factory = KeyFactory.getInstance(ALGORITHM);
      return new Ed25519PublicKey(
          point.clone(), factory.generatePublic(new X509EncodedKeySpec(encoded)));
    } catch (GeneralSecurityException e) {
      throw new KeyFormatException("Ed25519 public key: " + e.getMessage(), e);
    }
  }

  @Override
  public KeyType type() {
    return KeyType.ED25519;
  }

  @Override
  public byte[] raw() {
    return point.clone();
  }

  @Override
  public boolean verify(byte[] message, byte[] signature) {
    // JDK 17 overlooks bytes behind the signature, which would give it endless valid variants.
    return signature.length == SIGNATURE_BYTES && Jca.verify(ALGORITHM, key, message, signature);
  }
}
