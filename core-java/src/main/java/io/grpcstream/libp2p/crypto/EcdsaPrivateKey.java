package io.grpcstream.libp2p.crypto;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.spec.ECPrivateKeySpec;
import java.util.Arrays;

/** ECDSA with SHA-256 on a NIST curve: an ECPrivateKey of SEC 1 (RFC 5915). */
final class EcdsaPrivateKey extends PrivateKey {
  private static final String NAME = "ECDSA private key";
  private static final int PARAMETERS = 0xa0;
  private static final int PUBLIC_KEY = 0xa1;

  private final byte[] encoded;
  private final java.security.PrivateKey key;
  private final EcdsaPublicKey publicKey;

  private EcdsaPrivateKey(byte[] encoded, BigInteger scalar, EcdsaPublicKey publicKey) {
    this.encoded = encoded;
    this.publicKey = publicKey;
    try {
      this.key =
          KeyFactory.getInstance("EC")
              .generatePrivate(new ECPrivateKeySpec(scalar, publicKey.parameters()));
    } catch (GeneralSecurityException e) {
      throw new KeyFormatException(NAME + ": refused by the JDK", e);
    }
  }

  static EcdsaPrivateKey parse(byte[] data) {
    Der outer = Der.reader(NAME, data);
    Der fields = outer.enter(Der.SEQUENCE);
    outer.end();
    if (!fields.unsigned().equals(BigInteger.ONE)) {
      throw new KeyFormatException(NAME + ": the version is not 1");
    }
    BigInteger scalar = new BigInteger(1, fields.enter(Der.OCTET_STRING).rest());
    Der parameters = fields.enter(PARAMETERS);
    EcdsaCurve curve = EcdsaCurve.ofOid(NAME, parameters.enter(Der.OID).rest());
    parameters.end();
    byte[] point = curve.publicPoint(NAME, scalar);
    if (fields.peek() == PUBLIC_KEY) {
      Der stated = fields.enter(PUBLIC_KEY);
      if (!Arrays.equals(stated.bitString(), point)) {
        throw new KeyFormatException(NAME + ": its public key is not that of its scalar");
      }
      stated.end();
    }
    fields.end();
    return new EcdsaPrivateKey(
        encode(curve, scalar, point), scalar, EcdsaPublicKey.of(curve, point));
  }

  private static byte[] encode(EcdsaCurve curve, BigInteger scalar, byte[] point) {
    return Der.write(
        Der.SEQUENCE,
        Der.writeInteger(BigInteger.ONE),
        Der.write(Der.OCTET_STRING, Bytes.fixed(scalar, curve.scalarBytes())),
        Der.write(PARAMETERS, Der.write(Der.OID, curve.oid())),
        Der.write(PUBLIC_KEY, Der.writeBitString(point)));
  }

  @Override
  public KeyType type() {
    return KeyType.ECDSA;
  }

  @Override
  public PublicKey publicKey() {
    return publicKey;
  }

  @Override
  public byte[] sign(byte[] message) {
    return Jca.sign(EcdsaPublicKey.ALGORITHM, key, message);
  }

  @Override
  byte[] raw() {
    return encoded.clone();
  }
}
