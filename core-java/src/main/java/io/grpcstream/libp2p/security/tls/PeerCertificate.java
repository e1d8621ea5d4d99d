package io.grpcstream.libp2p.security.tls;

import io.grpcstream.libp2p.crypto.PublicKey;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.x509.Certificate;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.TBSCertificate;
import org.bouncycastle.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * The check of a remote's certificate, all by its own bytes (tls/tls.md, "Peer Authentication"). It
 * is its own issuer, so there is no chain and no authority.
 */
final class PeerCertificate {
  /** More than the largest keys and signatures take, by far. */
  static final int MAX_BYTES = 16_384;

  /** rust-libp2p and js-libp2p name no issuer, which Bouncy Castle takes only when told to. */
  private static final String EMPTY_ISSUER = "org.bouncycastle.x509.allow_empty_issuer_cert";

  private PeerCertificate() {}

  /**
   * The host key that the certificate proves.
   *
   * @param der the certificate
   * @param now the time at which it must be valid
   * @throws TlsException if it breaks any of the rules; says which
   */
  static PublicKey verify(byte[] der, Instant now) throws TlsException {
    if (der.length > MAX_BYTES) {
      throw new TlsException(
          "a certificate of %,d bytes, the limit is %,d".formatted(der.length, MAX_BYTES));
    }
    try {
      Certificate certificate = parse(der);
      return verify(certificate, certificate.getTBSCertificate(), now);
    } catch (TlsException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      throw new TlsException("the certificate is malformed: " + e.getMessage(), e);
    }
  }

  private static Certificate parse(byte[] der) throws IOException {
    Properties.setThreadOverride(EMPTY_ISSUER, true);
    try {
      return Certificate.getInstance(ASN1Primitive.fromByteArray(der));
    } finally {
      Properties.removeThreadOverride(EMPTY_ISSUER);
    }
  }

  private static PublicKey verify(Certificate certificate, TBSCertificate content, Instant now)
      throws IOException {
    checkValidity(content, now);
    if (content.getIssuerUniqueId() != null || content.getSubjectUniqueId() != null) {
      throw new TlsException("the certificate has a deprecated unique id");
    }
    Extension extension = checkExtensions(content.getExtensions());
    if (!content.getSignature().equals(certificate.getSignatureAlgorithm())) {
      throw new TlsException("the certificate names two signature algorithms");
    }
    byte[] key = content.getSubjectPublicKeyInfo().getEncoded(ASN1Encoding.DER);
    CertificateKey.of(content.getSubjectPublicKeyInfo())
        .verify(
            certificate.getSignatureAlgorithm(),
            content.getEncoded(ASN1Encoding.DER),
            certificate.getSignature().getOctets());
    return SignedKey.decode(extension.getExtnValue().getOctets()).verify(key);
  }

  private static void checkValidity(TBSCertificate content, Instant now) throws TlsException {
    Instant from;
    Instant to;
    try {
      from = content.getStartDate().getDate().toInstant();
      to = content.getEndDate().getDate().toInstant();
    } catch (IllegalStateException | DateTimeException e) {
      throw new TlsException("the certificate's dates are malformed: " + e.getMessage(), e);
    }
    if (now.isBefore(from)) {
      throw new TlsException(
          "the certificate is not valid before %s, it is %s".formatted(from, now));
    }
    if (now.isAfter(to)) {
      throw new TlsException("the certificate expired at %s, it is %s".formatted(to, now));
    }
  }

  /** The libp2p extension, which must be there; the others must be none that matter to us. */
  private static Extension checkExtensions(@Nullable Extensions extensions) throws TlsException {
    Extension found = null;
    if (extensions != null) {
      for (ASN1ObjectIdentifier id : extensions.getExtensionOIDs()) {
        Extension extension = extensions.getExtension(id);
        if (id.equals(SignedKey.EXTENSION)) {
          found = extension;
        } else if (id.equals(Extension.keyUsage)) {
          checkKeyUsage(extension);
        } else if (extension.isCritical() && !id.equals(Extension.basicConstraints)) {
          throw new TlsException("the certificate has the unknown critical extension " + id);
        }
      }
    }
    if (found == null) {
      throw new TlsException("the certificate lacks the libp2p extension " + SignedKey.EXTENSION);
    }
    return found;
  }

  /** A key that is used in TLS 1.3 must be one for signatures (RFC 8446, section 4.4.2.2). */
  private static void checkKeyUsage(Extension extension) throws TlsException {
    if (!KeyUsage.getInstance(extension.getParsedValue()).hasUsages(KeyUsage.digitalSignature)) {
      throw new TlsException("the certificate's key is not for signatures");
    }
  }
}
