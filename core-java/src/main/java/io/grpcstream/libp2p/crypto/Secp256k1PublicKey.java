package io.grpcstream.libp2p.crypto;

import java.math.BigInteger;
import org.bouncycastle.crypto.params.ECPublicKeyParameters;
import org.bouncycastle.crypto.signers.ECDSASigner;
import org.bouncycastle.math.ec.ECPoint;

/**
 * ECDSA with SHA-256 on secp256k1: a point in its compressed form, whichever it was read from.
 * Verifying accepts a high {@code s} too, as go-libp2p does.
 */
final class Secp256k1PublicKey extends PublicKey {
  private static final String NAME = "secp256k1 public key";

  private final byte[] compressed;
  private final ECPublicKeyParameters key;

  Secp256k1PublicKey(ECPoint point) {
    this.compressed = point.getEncoded(true);
    this.key = new ECPublicKeyParameters(point, Secp256k1.CURVE);
  }

  /** Reads a compressed (33 bytes) or uncompressed (65 bytes) point of SEC 1 section 2.3.3. */
  static Secp256k1PublicKey parse(byte[] data) {
    int form = data.length > 0 ? data[0] : -1;
    boolean compressed = data.length == 33 && (form == 2 || form == 3);
    boolean uncompressed = data.length == 65 && form == 4;
    if (!compressed && !uncompressed) {
      throw new KeyFormatException(
          NAME + ": " + data.length + " bytes starting with " + form + " are no SEC 1 point");
    }
    try {
      return new Secp256k1PublicKey(Secp256k1.CURVE.getCurve().decodePoint(data));
    } catch (IllegalArgumentException e) {
      throw new KeyFormatException(NAME + ": not a point of the curve", e);
    }
  }

  @Override
  public KeyType type() {
    return KeyType.SECP256K1;
  }

  @Override
  public byte[] raw() {
    return compressed.clone();
  }

  @Override
  public boolean verify(byte[] message, byte[] signature) {
    BigInteger r;
    BigInteger s;
    try {
      Der outer = Der.reader("signature", signature);
      Der pair = outer.enter(Der.SEQUENCE);
      outer.end();
      r = pair.unsigned();
      s = pair.unsigned();
      pair.end();
    } catch (KeyFormatException e) {
      return false; // the remote's bytes are no signature
    }
    ECDSASigner verifier = new ECDSASigner();
    verifier.init(false, key);
    return verifier.verifySignature(Jca.sha256(message), r, s);
  }
}
