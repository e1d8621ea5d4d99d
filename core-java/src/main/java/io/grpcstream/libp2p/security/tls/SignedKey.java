package io.grpcstream.libp2p.security.tls;

import io.grpcstream.libp2p.crypto.KeyFormatException;
import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.crypto.PublicKey;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;

/**
 * What binds a certificate's key to a host key: the host key, and its signature over the
 * certificate's (tls/tls.md, "libp2p Public Key Extension").
 *
 * @param publicKey the public host key in its protobuf form
 * @param signature the host key's signature
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record SignedKey(byte[] publicKey, byte[] signature) {
  /** The certificate extension that carries it. */
  static final ASN1ObjectIdentifier EXTENSION =
      new ASN1ObjectIdentifier("1.3.6.1.4.1.53594.1.1").intern();

  private static final byte[] PREFIX = "libp2p-tls-handshake:".getBytes(StandardCharsets.US_ASCII);

  /** Made by {@code identity} for the certificate key with that SubjectPublicKeyInfo. */
  static SignedKey make(PrivateKey identity, byte[] certificateKey) {
    return new SignedKey(identity.publicKey().marshal(), identity.sign(signed(certificateKey)));
  }

  /** The value of the extension, in DER. */
  byte[] encode() {
    try {
      return new DERSequence(
              new ASN1Encodable[] {new DEROctetString(publicKey), new DEROctetString(signature)})
          .getEncoded(ASN1Encoding.DER);
    } catch (IOException e) {
      throw new IllegalStateException("an octet string cannot be encoded", e);
    }
  }

  /** Reads the value of the extension, which must be exactly the DER of two octet strings. */
  static SignedKey decode(byte[] value) throws TlsException {
    try {
      if (ASN1Primitive.fromByteArray(value) instanceof ASN1Sequence sequence
          && sequence.size() == 2
          && sequence.getObjectAt(0) instanceof ASN1OctetString key
          && sequence.getObjectAt(1) instanceof ASN1OctetString signature
          && Arrays.equals(value, sequence.getEncoded(ASN1Encoding.DER))) {
        return new SignedKey(key.getOctets(), signature.getOctets());
      }
    } catch (IOException | RuntimeException e) { // Bouncy Castle has several for bad ASN.1.
      throw new TlsException("the libp2p extension is malformed: " + e.getMessage(), e);
    }
    throw new TlsException("the libp2p extension is malformed: not the DER of two octet strings");
  }

  /** The host key, if it signed the certificate key with that SubjectPublicKeyInfo. */
  PublicKey verify(byte[] certificateKey) throws TlsException {
    PublicKey key;
    try {
      key = PublicKey.unmarshal(publicKey);
    } catch (KeyFormatException e) {
      throw new TlsException("the libp2p extension's key is malformed: " + e.getMessage(), e);
    }
    if (!key.verify(signed(certificateKey), signature)) {
      throw new TlsException(
          "the certificate's key is not signed by the %s identity key shown".formatted(key.type()));
    }
    return key;
  }

  private static byte[] signed(byte[] certificateKey) {
    ByteArrayOutputStream message = new ByteArrayOutputStream();
    message.writeBytes(PREFIX);
    message.writeBytes(certificateKey);
    return message.toByteArray();
  }
}
