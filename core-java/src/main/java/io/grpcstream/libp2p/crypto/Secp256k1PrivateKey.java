package io.grpcstream.libp2p.crypto;

import java.math.BigInteger;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.params.ECPrivateKeyParameters;
import org.bouncycastle.crypto.signers.ECDSASigner;
import org.bouncycastle.crypto.signers.HMacDSAKCalculator;
import org.bouncycastle.math.ec.FixedPointCombMultiplier;

/**
 * ECDSA with SHA-256 on secp256k1: a 32-byte scalar. Signatures are deterministic (RFC 6979), in
 * DER, and take the lower of the two values {@code s} may have (BIP 62).
 */
final class Secp256k1PrivateKey extends PrivateKey {
  private static final int BYTES = 32;

  private final ECPrivateKeyParameters key;
  private final Secp256k1PublicKey publicKey;

  private Secp256k1PrivateKey(BigInteger scalar) {
    this.key = new ECPrivateKeyParameters(scalar, Secp256k1.CURVE);
    this.publicKey =
        new Secp256k1PublicKey(
            new FixedPointCombMultiplier().multiply(Secp256k1.CURVE.getG(), scalar).normalize());
  }

  static Secp256k1PrivateKey generate() {
    BigInteger scalar;
    do {
      scalar = new BigInteger(8 * BYTES, Jca.RANDOM);
    } while (!inRange(scalar));
    return new Secp256k1PrivateKey(scalar);
  }

  static Secp256k1PrivateKey parse(byte[] data) {
    if (data.length != BYTES) {
      throw new KeyFormatException(
          "secp256k1 private key: " + data.length + " bytes, expected " + BYTES);
    }
    BigInteger scalar = new BigInteger(1, data);
    if (!inRange(scalar)) {
      throw new KeyFormatException("secp256k1 private key: zero, or not below the curve's order");
    }
    return new Secp256k1PrivateKey(scalar);
  }

  private static boolean inRange(BigInteger scalar) {
    return scalar.signum() > 0 && scalar.compareTo(Secp256k1.CURVE.getN()) < 0;
  }

  @Override
  public KeyType type() {
    return KeyType.SECP256K1;
  }

  @Override
  public PublicKey publicKey() {
    return publicKey;
  }

  @Override
  public byte[] sign(byte[] message) {
    ECDSASigner signer = new ECDSASigner(new HMacDSAKCalculator(new SHA256Digest()));
    signer.init(true, key);
    BigInteger[] pair = signer.generateSignature(Jca.sha256(message));
    BigInteger s = pair[1];
    if (s.compareTo(Secp256k1.HALF_ORDER) > 0) {
      s = Secp256k1.CURVE.getN().subtract(s);
    }
    return Der.write(Der.SEQUENCE, Der.writeInteger(pair[0]), Der.writeInteger(s));
  }

  @Override
  byte[] raw() {
    return Bytes.fixed(key.getD(), BYTES);
  }
}
