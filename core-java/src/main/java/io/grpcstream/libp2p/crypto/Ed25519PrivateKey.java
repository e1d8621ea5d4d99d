package io.grpcstream.libp2p.crypto;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.HexFormat;
import org.bouncycastle.math.ec.rfc8032.Ed25519;

/** Ed25519 (RFC 8032): a 32-byte seed, marshalled with the public key behind it. */
final class Ed25519PrivateKey extends PrivateKey {
  private static final int SEED_BYTES = 32;
  private static final int PAIR_BYTES = SEED_BYTES + Ed25519PublicKey.BYTES;

  /** What RFC 8410 puts before the seed to make it a PKCS #8 PrivateKeyInfo. */
  private static final byte[] PKCS8_PREFIX =
      HexFormat.of().parseHex("302e020100300506032b657004220420");

  private final byte[] seed;
  private final java.security.PrivateKey key;
  private final Ed25519PublicKey publicKey;

  private Ed25519PrivateKey(byte[] seed) {
    this.seed = seed;
    try {
      byte[] encoded = Bytes.concat(PKCS8_PREFIX, seed);
      KeyFactory factory = KeyFactory.getInstance(Ed25519PublicKey.ALGORITHM);
      this.key = factory.generatePrivate(new PKCS8EncodedKeySpec(encoded));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("this JDK lacks Ed25519", e);
    }
    // The JCA has no way from a given seed to its public key.
    byte[] point = new byte[Ed25519PublicKey.BYTES];
    Ed25519.generatePublicKey(seed, 0, point, 0);
    this.publicKey = Ed25519PublicKey.parse(point);
  }

  static Ed25519PrivateKey generate() {
    byte[] seed = new byte[SEED_BYTES];
    Jca.RANDOM.nextBytes(seed);
    return new Ed25519PrivateKey(seed);
  }

  /** Reads seed and public key, or the older form that has the public key twice. */
  static Ed25519PrivateKey parse(byte[] data) {
    if (data.length != PAIR_BYTES && data.length != PAIR_BYTES + Ed25519PublicKey.BYTES) {
      throw new KeyFormatException(
          "Ed25519 private key: " + data.length + " bytes, expected 64 or 96");
    }
    Ed25519PrivateKey parsed = new Ed25519PrivateKey(Arrays.copyOf(data, SEED_BYTES));
    for (int at = SEED_BYTES; at < data.length; at += Ed25519PublicKey.BYTES) {
      byte[] stated = Arrays.copyOfRange(data, at, at + Ed25519PublicKey.BYTES);
      if (!MessageDigest.isEqual(stated, parsed.publicKey.raw())) {
        throw new KeyFormatException(
            "Ed25519 private key: the public key at byte " + at + " is not that of the seed");
      }
    }
    return parsed;
  }

  @Override
  public KeyType type() {
    return KeyType.ED25519;
  }

  @Override
  public PublicKey publicKey() {
    return publicKey;
  }

  @Override
  public byte[] sign(byte[] message) {
    return Jca.sign(Ed25519PublicKey.ALGORITHM, key, message);
  }

  @Override
  byte[] raw() {
    return Bytes.concat(seed, publicKey.raw());
  }
}
