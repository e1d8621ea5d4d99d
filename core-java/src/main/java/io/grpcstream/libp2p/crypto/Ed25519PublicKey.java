package io.grpcstream.libp2p.crypto;

import org.bouncycastle.math.ec.rfc8032.Ed25519;

/**
 * Ed25519 (RFC 8032): the 32 bytes of a point. By Bouncy Castle, which takes an eighth of the JDK's
 * time, of which a handshake would else consist.
 */
final class Ed25519PublicKey extends PublicKey {
  static final int BYTES = 32;
  static final int SIGNATURE_BYTES = 64;

  private final byte[] point;

  private Ed25519PublicKey(byte[] point) {
    this.point = point;
  }

  /** Takes any 32 bytes: those that are no point of the curve verify nothing. */
  static Ed25519PublicKey parse(byte[] point) {
    if (point.length != BYTES) {
      throw new KeyFormatException(
          "Ed25519 public key: " + point.length + " bytes, expected " + BYTES);
    }
    return new Ed25519PublicKey(point.clone());
  }

  /** The point's bytes, not a copy. */
  byte[] point() {
    return point;
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
    return signature.length == SIGNATURE_BYTES
        && Ed25519.verify(signature, 0, point, 0, message, 0, message.length);
  }
}
