package io.grpcstream.libp2p.crypto;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.spec.RSAPublicKeySpec;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * RSA with SHA-256 and PKCS #1 v1.5 signatures: a SubjectPublicKeyInfo (RFC 3279, section 2.3.1).
 * The size is bounded before anything is computed: verifying takes time that grows with the square
 * of the modulus and the length of the exponent (CVE-2023-39533).
 */
final class RsaPublicKey extends PublicKey {
  static final String ALGORITHM = "SHA256withRSA";

  private static final String NAME = "RSA public key";
  private static final int MIN_BITS = 2_048;
  private static final int MAX_BITS = 8_192;
  private static final int MAX_EXPONENT_BITS = 31; // as Go's crypto/rsa
  private static final int NULL = 0x05;
  private static final byte[] RSA_ENCRYPTION = HexFormat.of().parseHex("2a864886f70d010101");

  private final byte[] encoded;
  private final java.security.PublicKey key;

  private RsaPublicKey(byte[] encoded, java.security.PublicKey key) {
    this.encoded = encoded;
    this.key = key;
  }

  static RsaPublicKey parse(byte[] data) {
    Der outer = Der.reader(NAME, data);
    Der info = outer.enter(Der.SEQUENCE);
    outer.end();
    Der algorithm = info.enter(Der.SEQUENCE);
    if (!Arrays.equals(algorithm.enter(Der.OID).rest(), RSA_ENCRYPTION)) {
      throw new KeyFormatException(NAME + ": the algorithm is not rsaEncryption");
    }
    algorithm.enter(NULL).end();
    algorithm.end();
    Der content = Der.reader(NAME, info.bitString());
    info.end();
    Der numbers = content.enter(Der.SEQUENCE);
    content.end();
    BigInteger modulus = numbers.unsigned();
    BigInteger exponent = numbers.unsigned();
    numbers.end();
    return of(modulus, exponent);
  }

  static RsaPublicKey of(BigInteger modulus, BigInteger exponent) {
    check(modulus, exponent);
    byte[] algorithm = Der.write(Der.SEQUENCE, Der.write(Der.OID, RSA_ENCRYPTION), Der.write(NULL));
    byte[] numbers = Der.write(Der.SEQUENCE, Der.writeInteger(modulus), Der.writeInteger(exponent));
    byte[] encoded = Der.write(Der.SEQUENCE, algorithm, Der.writeBitString(numbers));
    try {
      KeyFactory factory = KeyFactory.getInstance("RSA");
      return new RsaPublicKey(
          encoded, factory.generatePublic(new RSAPublicKeySpec(modulus, exponent)));
    } catch (GeneralSecurityException e) {
      throw new KeyFormatException(NAME + ": " + e.getMessage(), e);
    }
  }

  private static void check(BigInteger modulus, BigInteger exponent) {
    int bits = modulus.bitLength();
    if (bits < MIN_BITS || bits > MAX_BITS) {
      throw new KeyFormatException(
          NAME + ": " + bits + " bits, accepted are " + MIN_BITS + " to " + MAX_BITS);
    }
    if (!modulus.testBit(0)) {
      throw new KeyFormatException(NAME + ": the modulus is even");
    }
    if (exponent.bitLength() > MAX_EXPONENT_BITS
        || exponent.bitLength() < 2
        || !exponent.testBit(0)) {
      throw new KeyFormatException(
          NAME + ": the exponent, of " + exponent.bitLength() + " bits, is not odd, 3 to 2^31-1");
    }
  }

  @Override
  public KeyType type() {
    return KeyType.RSA;
  }

  @Override
  public byte[] raw() {
    return encoded.clone();
  }

  @Override
  public boolean verify(byte[] message, byte[] signature) {
    return Jca.verify(ALGORITHM, key, message, signature);
  }
}
