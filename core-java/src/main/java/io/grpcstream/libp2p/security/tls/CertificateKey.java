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
import java.util.function.Supplier;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.RSAPublicKey;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.crypto.CipherParameters;
import org.bouncycastle.crypto.Digest;
import org.bouncycastle.crypto.Signer;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.digests.SHA384Digest;
import org.bouncycastle.crypto.digests.SHA512Digest;
import org.bouncycastle.crypto.signers.DSADigestSigner;
import org.bouncycastle.crypto.signers.ECDSASigner;
import org.bouncycastle.crypto.signers.Ed25519Signer;
import org.bouncycastle.crypto.util.PublicKeyFactory;
import org.jspecify.annotations.Nullable;

/**
 * The key of a remote's certificate, of the types that TLS 1.3 signs with (RFC 8446, section
 * 4.2.3): ECDSA on P-256, P-384 or P-521, Ed25519, and RSA. RSA keys are bounded, since a check
 * with a huge one takes long.
 *
 * <p>ECDSA is Bouncy Castle's, which takes a half (JDK 25) to a fifth (JDK 17) of the JDK's time.
 * Its RSA, though, first looks at length at whether the key may be prime.
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

  private static final Map<ASN1ObjectIdentifier, Supplier<Digest>> ECDSA =
      Map.of(
          X9ObjectIdentifiers.ecdsa_with_SHA256, SHA256Digest::new,
          X9ObjectIdentifiers.ecdsa_with_SHA384, SHA384Digest::new,
          X9ObjectIdentifiers.ecdsa_with_SHA512, SHA512Digest::new);

  /** The JCA's names. */
  private static final Map<ASN1ObjectIdentifier, String> RSA =
      Map.of(
          PKCSObjectIdentifiers.sha256WithRSAEncryption, "SHA256withRSA",
          PKCSObjectIdentifiers.sha384WithRSAEncryption, "SHA384withRSA",
          PKCSObjectIdentifiers.sha512WithRSAEncryption, "SHA512withRSA");

  private final String type;
  private final Verifier verifier;

  private CertificateKey(String type, Verifier verifier) {
    this.type = type;
    this.verifier = verifier;
  }

  /** A key that checks signatures. */
  private interface Verifier {
    /** Null if the key signs with no such algorithm. */
    @Nullable Boolean verify(ASN1ObjectIdentifier algorithm, byte[] message, byte[] signature)
        throws GeneralSecurityException;
  }

  /** The key in {@code info}, if it is of a known type. */
  static CertificateKey of(SubjectPublicKeyInfo info) throws IOException {
    AlgorithmIdentifier algorithm = info.getAlgorithm();
    if (algorithm.getAlgorithm().equals(X9ObjectIdentifiers.id_ecPublicKey)) {
      ASN1Encodable curve = algorithm.getParameters();
      if (curve == null || !CURVES.contains(curve.toASN1Primitive())) {
        throw new TlsException("the certificate's key is on none of P-256, P-384 and P-521");
      }
      return new CertificateKey("EC", ecdsa(PublicKeyFactory.createKey(info)));
    }
    if (algorithm.getAlgorithm().equals(ED25519)) {
      return new CertificateKey("Ed25519", ed25519(PublicKeyFactory.createKey(info)));
    }
    if (algorithm.getAlgorithm().equals(PKCSObjectIdentifiers.rsaEncryption)) {
      checkRsa(RSAPublicKey.getInstance(info.parsePublicKey()));
      return new CertificateKey("RSA", rsa(info));
    }
    throw new TlsException(
        "the certificate's key is of the unknown type " + algorithm.getAlgorithm());
  }

  private static Verifier ecdsa(CipherParameters key) {
    return (algorithm, message, signature) -> {
      Supplier<Digest> digest = ECDSA.get(algorithm);
      return digest == null
          ? null
          : verify(new DSADigestSigner(new ECDSASigner(), digest.get()), key, message, signature);
    };
  }

  private static Verifier ed25519(CipherParameters key) {
    return (algorithm, message, signature) ->
        algorithm.equals(ED25519) ? verify(new Ed25519Signer(), key, message, signature) : null;
  }

  private static boolean verify(
      Signer signer, CipherParameters key, byte[] message, byte[] signature) {
    signer.init(false, key);
    signer.update(message, 0, message.length);
    return signer.verifySignature(signature);
  }

  private static Verifier rsa(SubjectPublicKeyInfo info) throws IOException {
    PublicKey key;
    try {
      key =
          KeyFactory.getInstance("RSA")
              .generatePublic(new X509EncodedKeySpec(info.getEncoded(ASN1Encoding.DER)));
    } catch (GeneralSecurityException e) {
      throw new TlsException("the certificate's RSA key is malformed", e);
    }
    return (algorithm, message, signature) -> {
      String name = RSA.get(algorithm);
      if (name == null) {
        return null;
      }
      Signature verifier = Signature.getInstance(name);
      verifier.initVerify(key);
      verifier.update(message);
      return verifier.verify(signature);
    };
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
  void verify(AlgorithmIdentifier algorithm, byte[] message, byte[] signature) throws TlsException {
    Boolean valid;
    try {
      valid = verifier.verify(algorithm.getAlgorithm(), message, signature);
    } catch (SignatureException e) {
      valid = false; // these bytes are no signature at all
    } catch (GeneralSecurityException e) {
      throw new TlsException("the certificate's self-signature cannot be checked", e);
    }
    if (valid == null) {
      throw new TlsException(
          "the certificate has a signature of the type %s, which is none for its %s key"
              .formatted(algorithm.getAlgorithm(), type));
    }
    if (!valid) {
      throw new TlsException("the certificate's self-signature is wrong");
    }
  }
}
