package io.grpcstream.libp2p.crypto;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECParameterSpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.HexFormat;

/** ECDSA with SHA-256 on a NIST curve: a SubjectPublicKeyInfo (RFC 5480) with a named curve. */
final class EcdsaPublicKey extends PublicKey {
  static final String ALGORITHM = "SHA256withECDSA";

  private static final String NAME = "ECDSA public key";
  private static final byte[] EC_PUBLIC_KEY = HexFormat.of().parseHex("2a8648ce3d0201");

  private final byte[] encoded;
  private final ECPublicKey key;

  private EcdsaPublicKey(byte[] encoded, ECPublicKey key) {
    this.encoded = encoded;
    this.key = key;
  }

  static EcdsaPublicKey parse(byte[] data) {
    Der outer = Der.reader(NAME, data);
    Der info = outer.enter(Der.SEQUENCE);
    outer.end();
    Der algorithm = info.enter(Der.SEQUENCE);
    if (!Arrays.equals(algorithm.enter(Der.OID).rest(), EC_PUBLIC_KEY)) {
      throw new KeyFormatException(NAME + ": the algorithm is not id-ecPublicKey");
    }
    EcdsaCurve curve = EcdsaCurve.ofOid(NAME, algorithm.enter(Der.OID).rest());
    algorithm.end();
    byte[] point = info.bitString();
    info.end();
    return of(curve, point);
  }

  static EcdsaPublicKey of(EcdsaCurve curve, byte[] point) {
    curve.check(NAME, point);
    byte[] algorithm =
        Der.write(Der.SEQUENCE, Der.write(Der.OID, EC_PUBLIC_KEY), Der.write(Der.OID, curve.oid()));
    byte[] encoded = Der.write(Der.SEQUENCE, algorithm, Der.writeBitString(point));
    try {
      KeyFactory factory = KeyFactory.getInstance("EC");
      return new EcdsaPublicKey(
          encoded, (ECPublicKey) factory.generatePublic(new X509EncodedKeySpec(encoded)));
    } catch (GeneralSecurityException e) {
      throw new KeyFormatException(NAME + ": " + e.getMessage(), e);
    }
  }

  ECParameterSpec parameters() {
    return key.getParams();
  }

  @Override
  public KeyType type() {
    return KeyType.ECDSA;
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
