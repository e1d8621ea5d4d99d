package io.grpcstream.libp2p.security.tls;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.spec.X509EncodedKeySpec;
import java.util.Map;
import java.util.Set;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.RSAPublicKey;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;

/**
 * The key of a remote's certificate, of the types that TLS 1.3 signs with (RFC 8446, section
 * 4.2.3): ECDSA on P-256, P-384 or P-521, Ed25519, and RSA. RSA keys are bounded, since a check
 * with a huge one takes long.
 */
final class CertificateKey {
  private static final int MIN_RSA_BITS = 2_048;
  private static final int MAX_RSA_BITS = 8_192;
  private static final int MAX_RSA_EXPONENT_BITS = 31;

  /** RFC 8410, section 3. */
  private static final ASN1ObjectIdentifier ED25519 = new ASN1ObjectIdentifier("1.3.101.112");

  private static final Set<ASN1Encodable> CURVES =
      Set.of(
          SECObjectIdentifiers.secp256r1,
          SECObjectIdentifiers.secp384r1,
          SECObjectIdentifiers.secp521r1);

  /** For each type of key, the JCA's names of the algorithms it may have signed with. */
  private static final Map<String, Map<ASN1ObjectIdentifier, String>> SIGNATURES =
      Map.of(
          "EC",
          Map.of(
              X9ObjectIdentifiers.ecdsa_with_SHA256, "SHA256withECDSA",
              X9ObjectIdentifiers.ecdsa_with_SHA384, "SHA384withECDSA",
              X9ObjectIdentifiers.ecdsa_with_SHA512, "SHA512withECDSA"),
          "Ed25519",
          Map.of(ED25519, "Ed25519"),
          "RSA",
          Map.of(
              PKCSObjectIdentifiers.sha256WithRSAEncryption, "SHA256withRSA",
              PKCSObjectIdentifiers.sha384WithRSAEncryption, "SHA384withRSA",
              PKCSObjectIdentifiers.sha512WithRSAEncryption, "SHA512withRSA"));

  private final String type;
  private final PublicKey key;

  private CertificateKey(String type, PublicKey key) {
    this.type = type;
    this.key = key;
  }

  /** The key in {@code info}, if it is of a known type. */
  static CertificateKey of(SubjectPublicKeyInfo info) throws IOException {
    String type = type(info);
    try {
      byte[] encoded = info.getEncoded(ASN1Encoding.DER);
      return new CertificateKey(
          type, KeyFactory.getInstance(type).generatePublic(new X509EncodedKeySpec(encoded)));
    } catch (GeneralSecurityException e) {
      throw new TlsException("the certificate's %s key is malformed".formatted(type), e);
    }
  }

  private static String type(SubjectPublicKeyInfo info) throws IOException {
    AlgorithmIdentifier algorithm = info.getAlgorithm();
    if (algorithm.getAlgorithm().equals(X9ObjectIdentifiers.id_ecPublicKey)) {
      ASN1Encodable curve = algorithm.getParameters();
      if (curve == null || !CURVES.contains(curve.toASN1Primitive())) {
        throw new TlsException("the certificate's key is on none of P-256, P-384 and P-521");
      }
      return "EC";
    }
    if (algorithm.getAlgorithm().equals(ED25519)) {
      return "Ed25519";
    }
    if (algorithm.getAlgorithm().equals(PKCSObjectIdentifiers.rsaEncryption)) {
      checkRsa(RSAPublicKey.getInstance(info.parsePublicKey()));
      return "RSA";
    }
    throw new TlsException(
        "the certificate's key is of the unknown type " + algorithm.getAlgorithm());
  }

  private static void checkRsa(RSAPublicKey key) throws TlsException {
    int bits = key.getModulus().bitLength();
    int exponentBits = key.getPublicExponent().bitLength();
    if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS || exponentBits > MAX_RSA_EXPONENT_BITS) {
      throw new TlsException(
          "the certificate's RSA key has %,d bits and an exponent of %,d, accepted are %,d to %,d and at most %d"
              .formatted(bits, exponentBits, MIN_RSA_BITS, MAX_RSA_BITS, MAX_RSA_EXPONENT_BITS));
    }
  }

  /** Fails unless this key signed {@code message}. */
  void verify(AlgorithmIdentifier algorithm, byte[] message, byte[] signed) throws TlsException {
    String name = SIGNATURES.get(type).get(algorithm.getAlgorithm());
    if (name == null) {
      throw new TlsException(
          "the certificate has a signature of the type %s, which is none for its %s key"
              .formatted(algorithm.getAlgorithm(), type));
    }
    boolean valid;
    try {
      Signature signature = Signature.getInstance(name);
      signature.initVerify(key);
      signature.update(message);
      valid = signature.verify(signed);
    } catch (SignatureException e) {
      valid = false; // these bytes are no signature at all
    } catch (GeneralSecurityException e) {
      throw new TlsException("the certificate's self-signature cannot be checked", e);
    }
    if (!valid) {
      throw new TlsException("the certificate's self-signature is wrong");
    }
  }
}
