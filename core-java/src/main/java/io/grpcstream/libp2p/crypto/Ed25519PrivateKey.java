package io.grpcstream.libp2p.crypto;

import java.security.MessageDigest;
import java.util.Arrays;
import org.bouncycastle.math.ec.rfc8032.Ed25519;

/** Ed25519 (RFC 8032): a 32-byte seed, marshalled with the public key behind it. */
final class Ed25519PrivateKey extends PrivateKey {
  private static final int SEED_BYTES = 32;
  private static final int PAIR_BYTES = SEED_BYTES + Ed25519PublicKey.BYTES;

  private final byte[] seed;
  private final Ed25519PublicKey publicKey;

  private Ed25519PrivateKey(byte[] seed) {
    this.seed = seed;
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
    byte[] signature = new byte[Ed25519PublicKey.SIGNATURE_BYTES];
    Ed25519.sign(seed, 0, publicKey.point(), 0, message, 0, message.length, signature, 0);
    return signature;
  }

  @Override
  byte[] raw() {
    return Bytes.concat(seed, publicKey.raw());
  }
}
