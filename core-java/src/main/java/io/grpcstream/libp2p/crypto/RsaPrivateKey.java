package io.grpcstream.libp2p.crypto;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.spec.RSAPrivateCrtKeySpec;

/**
 * RSA with SHA-256 and PKCS #1 v1.5 signatures: an RSAPrivateKey of two primes (RFC 8017, A.1.2).
 */
final class RsaPrivateKey extends PrivateKey {
  private static final String NAME = "RSA private key";

  private final byte[] encoded;
  private final java.security.PrivateKey key;
  private final RsaPublicKey publicKey;

  private RsaPrivateKey(byte[] encoded, java.security.PrivateKey key, RsaPublicKey publicKey) {
    this.encoded = encoded;
    this.key = key;
    this.publicKey = publicKey;
  }

  static RsaPrivateKey parse(byte[] data) {
    Der outer = Der.reader(NAME, data);
    Der fields = outer.enter(Der.SEQUENCE);
    outer.end();
    if (fields.unsigned().signum() != 0) {
      throw new KeyFormatException(NAME + ": the version is not 0 (two primes)");
    }
    BigInteger modulus = fields.unsigned();
    BigInteger publicExponent = fields.unsigned();
    RsaPublicKey publicKey = RsaPublicKey.of(modulus, publicExponent); // checks the size
    RSAPrivateCrtKeySpec spec =
        new RSAPrivateCrtKeySpec(
            modulus,
            publicExponent,
            fields.unsigned(),
            fields.unsigned(),
            fields.unsigned(),
            fields.unsigned(),
            fields.unsigned(),
            fields.unsigned());
    fields.end();
    if (!consistent(spec)) {
      throw new KeyFormatException(NAME + ": its numbers do not fit together");
    }
    try {
      // All fields are strict DER, so the input is the one encoding of this key.
      return new RsaPrivateKey(
          data.clone(), KeyFactory.getInstance("RSA").generatePrivate(spec), publicKey);
    } catch (GeneralSecurityException e) {
      throw new KeyFormatException(NAME + ": refused by the JDK", e);
    }
  }

  /** Whether the primes and what was computed from them belong to the exponents. */
  private static boolean consistent(RSAPrivateCrtKeySpec key) {
    BigInteger p = key.getPrimeP();
    BigInteger q = key.getPrimeQ();
    if (p.bitLength() < 2 || q.bitLength() < 2 || !p.multiply(q).equals(key.getModulus())) {
      return false;
    }
    BigInteger d = key.getPrivateExponent();
    return consistent(key.getPublicExponent(), d, p, key.getPrimeExponentP())
        && consistent(key.getPublicExponent(), d, q, key.getPrimeExponentQ())
        && key.getCrtCoefficient().signum() > 0
        && key.getCrtCoefficient().compareTo(p) < 0
        && key.getCrtCoefficient().multiply(q).mod(p).equals(BigInteger.ONE);
  }

  private static boolean consistent(BigInteger e, BigInteger d, BigInteger prime, BigInteger part) {
    BigInteger order = prime.subtract(BigInteger.ONE);
    return d.mod(order).equals(part) && e.multiply(d).mod(order).equals(BigInteger.ONE);
  }

  @Override
  public KeyType type() {
    return KeyType.RSA;
  }

  @Override
  public PublicKey publicKey() {
    return publicKey;
  }

  @Override
  public byte[] sign(byte[] message) {
    return Jca.sign(RsaPublicKey.ALGORITHM, key, message);
  }

  @Override
  byte[] raw() {
    return encoded.clone();
  }
}
