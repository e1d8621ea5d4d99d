package io.grpcstream.libp2p.security.tls;

import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.crypto.PublicKey;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERTaggedObject;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x509.Time;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.util.Properties;

/** A certificate for peers that break the rules: right in all that the test does not make wrong. */
public final class RawCertificate {
  private static final AlgorithmIdentifier ECDSA_WITH_SHA256 =
      new AlgorithmIdentifier(X9ObjectIdentifiers.ecdsa_with_SHA256);

  private final List<Extension> others = new ArrayList<>();
  private Instant from = Instant.now().minusSeconds(3_600);
  private Instant to = Instant.now().plusSeconds(3_600);
  private String name = "CN=peer";
  private KeyPair key = key("EC");
  private KeyPair signer = key;
  private String algorithm = "SHA256withECDSA";
  private AlgorithmIdentifier algorithmId = ECDSA_WITH_SHA256;
  private byte[] signedKey = new byte[0];

  /** For that host key. */
  public RawCertificate(PrivateKey identity) {
    signedKey = SignedKey.make(identity, key.getPublic().getEncoded()).encode();
  }

  /** A fresh key of a type that the JDK can make, on P-256 if {@code EC}. */
  public static KeyPair key(String type) {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance(type);
      if (type.equals("EC")) {
        generator.initialize(256);
      }
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  /** Valid in that time only. */
  public RawCertificate validity(Instant from, Instant to) {
    this.from = from;
    this.to = to;
    return this;
  }

  /** With that name for the subject and the issuer. */
  public RawCertificate name(String name) {
    this.name = name;
    return this;
  }

  /** With another extension value; null for no libp2p extension at all. */
  public RawCertificate signedKey(byte[] value) {
    this.signedKey = value;
    return this;
  }

  /** Claiming a host key that has signed nothing here, by the signature of another. */
  public RawCertificate claiming(PublicKey claimed, PrivateKey other) {
    SignedKey own = SignedKey.make(other, key.getPublic().getEncoded());
    return signedKey(new SignedKey(claimed.marshal(), own.signature()).encode());
  }

  /** With another extension besides. */
  public RawCertificate extension(String id, boolean critical) {
    return extension(id, critical, new byte[] {4, 0});
  }

  RawCertificate extension(String id, boolean critical, byte[] value) {
    others.add(new Extension(new ASN1ObjectIdentifier(id), critical, value));
    return this;
  }

  /** Signed by another key than its own. */
  public RawCertificate signedByAnother() {
    signer = key("EC");
    return this;
  }

  /** With a key of another type, which {@code identity} signs. */
  RawCertificate key(PrivateKey identity, KeyPair other, String algorithm, String algorithmId) {
    key = other;
    signer = other;
    this.algorithm = algorithm;
    this.algorithmId = new AlgorithmIdentifier(new ASN1ObjectIdentifier(algorithmId));
    signedKey = SignedKey.make(identity, key.getPublic().getEncoded()).encode();
    return this;
  }

  /** With an RSA key of that size, which {@code identity} signs. */
  public RawCertificate rsa(PrivateKey identity, int bits) {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(bits);
      return key(identity, generator.generateKeyPair(), "SHA256withRSA", "1.2.840.113549.1.1.11");
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  /** The key that the certificate is for. */
  public java.security.PrivateKey privateKey() {
    return key.getPrivate();
  }

  /** The certificate as bytes. */
  public byte[] encoded() {
    try {
      DERSequence content = content();
      Signature signature = Signature.getInstance(algorithm);
      signature.initSign(signer.getPrivate());
      signature.update(content.getEncoded(ASN1Encoding.DER));
      return new DERSequence(
              new ASN1Encodable[] {content, algorithmId, new DERBitString(signature.sign())})
          .getEncoded(ASN1Encoding.DER);
    } catch (GeneralSecurityException | IOException e) {
      throw new AssertionError(e);
    }
  }

  /** The certificate, read by Bouncy Castle, since the JDK reads none without an issuer. */
  public X509Certificate certificate() {
    Properties.setThreadOverride("org.bouncycastle.x509.allow_empty_issuer_cert", true);
    try {
      return (X509Certificate)
          CertificateFactory.getInstance("X.509", new BouncyCastleProvider())
              .generateCertificate(new ByteArrayInputStream(encoded()));
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    } finally {
      Properties.removeThreadOverride("org.bouncycastle.x509.allow_empty_issuer_cert");
    }
  }

  /** By hand, since Bouncy Castle writes no certificate without an issuer. */
  private DERSequence content() {
    X500Name named = new X500Name(name);
    ASN1EncodableVector content = new ASN1EncodableVector();
    content.add(new DERTaggedObject(true, 0, new ASN1Integer(2)));
    content.add(new ASN1Integer(1));
    content.add(algorithmId);
    content.add(named);
    content.add(new DERSequence(new Time(Date.from(from)), new Time(Date.from(to))));
    content.add(named);
    content.add(SubjectPublicKeyInfo.getInstance(key.getPublic().getEncoded()));
    List<Extension> extensions = new ArrayList<>(others);
    if (signedKey != null) {
      extensions.add(new Extension(SignedKey.EXTENSION, false, new DEROctetString(signedKey)));
    }
    if (!extensions.isEmpty()) {
      Extensions all = new Extensions(extensions.toArray(Extension[]::new));
      content.add(new DERTaggedObject(true, 3, all));
    }
    return new DERSequence(content);
  }
}
