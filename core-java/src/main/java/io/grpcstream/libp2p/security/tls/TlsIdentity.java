package io.grpcstream.libp2p.security.tls;

import io.grpcstream.libp2p.crypto.PrivateKey;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1GeneralizedTime;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1UTCTime;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x509.TBSCertificate;
import org.bouncycastle.asn1.x509.Time;
import org.bouncycastle.asn1.x509.V3TBSCertificateGenerator;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;

/**
 * What a host shows in all its handshakes: a P-256 key, made once and never stored, and a
 * self-signed certificate for it with the {@link SignedKey} extension (tls/tls.md, "Peer
 * Authentication", allows the reuse).
 *
 * <p>The names and dates are those of the specification's examples. The dates say nothing about the
 * host, and suit peers whose clock is wrong. The issuer is not empty, since the JDK reads no such
 * certificate, nor is there any other extension, since js-libp2p looks at the first one only.
 *
 * @param key the certificate's private key
 * @param certificate the certificate
 */
record TlsIdentity(java.security.PrivateKey key, X509Certificate certificate) {
  private static final X500Name NAME = new X500Name("O=libp2p.io");
  private static final Time NOT_BEFORE = new Time(new ASN1UTCTime("750101000000Z"));
  private static final Time NOT_AFTER = new Time(new ASN1GeneralizedTime("40960101000000Z"));
  private static final AlgorithmIdentifier ECDSA_WITH_SHA256 =
      new AlgorithmIdentifier(X9ObjectIdentifiers.ecdsa_with_SHA256);

  /** A fresh key and certificate that prove {@code identity}. */
  static TlsIdentity make(PrivateKey identity) throws GeneralSecurityException {
    SecureRandom random = new SecureRandom();
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec("secp256r1"), random);
    KeyPair pair = generator.generateKeyPair();
    byte[] publicKey = pair.getPublic().getEncoded();
    try {
      TBSCertificate unsigned =
          unsigned(
              new BigInteger(63, random).add(BigInteger.ONE),
              publicKey,
              SignedKey.make(identity, publicKey));
      Signature signature = Signature.getInstance("SHA256withECDSA");
      signature.initSign(pair.getPrivate());
      signature.update(unsigned.getEncoded(ASN1Encoding.DER));
      byte[] certificate =
          new DERSequence(
                  new ASN1Encodable[] {
                    unsigned, ECDSA_WITH_SHA256, new DERBitString(signature.sign())
                  })
              .getEncoded(ASN1Encoding.DER);
      return new TlsIdentity(
          pair.getPrivate(),
          (X509Certificate)
              CertificateFactory.getInstance("X.509")
                  .generateCertificate(new ByteArrayInputStream(certificate)));
    } catch (IOException e) {
      throw new GeneralSecurityException("the certificate cannot be encoded", e);
    }
  }

  private static TBSCertificate unsigned(BigInteger serial, byte[] publicKey, SignedKey signedKey) {
    V3TBSCertificateGenerator generator = new V3TBSCertificateGenerator();
    generator.setSerialNumber(new ASN1Integer(serial));
    generator.setSignature(ECDSA_WITH_SHA256);
    generator.setIssuer(NAME);
    generator.setStartDate(NOT_BEFORE);
    generator.setEndDate(NOT_AFTER);
    generator.setSubject(NAME);
    generator.setSubjectPublicKeyInfo(SubjectPublicKeyInfo.getInstance(publicKey));
    generator.setExtensions(
        new Extensions(new Extension(SignedKey.EXTENSION, false, signedKey.encode())));
    return generator.generateTBSCertificate();
  }
}
