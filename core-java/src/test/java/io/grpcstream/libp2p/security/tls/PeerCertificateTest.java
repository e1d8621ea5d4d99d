package io.grpcstream.libp2p.security.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.crypto.PrivateKey;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a certificate must be like, by the vectors of tls/tls.md and by its rules one by one. */
class PeerCertificateTest {
  private final PrivateKey identity = PrivateKey.generateEd25519();

  // ---- the specification's vectors

  record Vector(String peerId, byte[] certificate) {
    @Override
    public String toString() {
      return peerId;
    }
  }

  static List<Vector> vectors() throws IOException {
    return load("certificates.txt");
  }

  /** Those that peers in other languages have shown; RecordCertificates takes them anew. */
  static List<Vector> certificatesOfPeers() throws IOException {
    return load("certificates-of-peers.txt");
  }

  private static List<Vector> load(String name) throws IOException {
    try (InputStream in = PeerCertificateTest.class.getResourceAsStream(name)) {
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII)
          .lines()
          .filter(line -> !line.startsWith("#"))
          .map(line -> line.split(" ", 2))
          .map(parts -> new Vector(parts[0], HexFormat.of().parseHex(parts[1])))
          .toList();
    }
  }

  @ParameterizedTest
  @MethodSource
  void vectors(Vector vector) throws TlsException {
    if (vector.peerId.equals("invalid")) {
      refused(vector.certificate, "is not signed by the ECDSA identity key");
    } else {
      assertThat(PeerId.of(PeerCertificate.verify(vector.certificate, Instant.now())))
          .hasToString(vector.peerId);
    }
  }

  @ParameterizedTest
  @MethodSource
  void certificatesOfPeers(Vector vector) throws TlsException {
    assertThat(PeerId.of(PeerCertificate.verify(vector.certificate, Instant.now())))
        .hasToString(vector.peerId);
  }

  @Test
  @DisplayName("There are vectors for three types of keys, and one that is invalid")
  void vectorsForThreeTypesOfKeys() throws IOException {
    assertThat(vectors()).hasSize(4);
  }

  // ---- accepted

  @Test
  void theCertificateOfAHostProvesItsKey() throws Exception {
    for (PrivateKey key : List.of(identity, PrivateKey.generateSecp256k1())) {
      byte[] certificate = TlsIdentity.make(key).certificate().getEncoded();
      assertThat(PeerCertificate.verify(certificate, Instant.now())).isEqualTo(key.publicKey());
    }
  }

  @Test
  @DisplayName("An unknown extension that is not critical does not matter")
  void unknownUncriticalExtension() throws TlsException {
    accepted(certificate().extension("1.2.3.4", false));
  }

  @Test
  void noIssuerDoesNotMatter() throws TlsException {
    accepted(certificate().name(""));
  }

  @Test
  void aKeyForSignaturesMayBeCalledThat() throws TlsException {
    accepted(certificate().extension("2.5.29.15", true, new byte[] {3, 2, 7, (byte) 0x80}));
  }

  @Test
  void keysOfAllTypesOfTls13AreTaken() throws Exception {
    accepted(certificate().key(identity, curve(384), "SHA384withECDSA", "1.2.840.10045.4.3.3"));
    accepted(certificate().key(identity, curve(521), "SHA512withECDSA", "1.2.840.10045.4.3.4"));
    accepted(certificate().key(identity, RawCertificate.key("Ed25519"), "Ed25519", "1.3.101.112"));
    accepted(certificate().key(identity, rsa(2_048), "SHA256withRSA", "1.2.840.113549.1.1.11"));
  }

  private void accepted(RawCertificate certificate) throws TlsException {
    assertThat(PeerCertificate.verify(certificate.encoded(), Instant.now()))
        .isEqualTo(identity.publicKey());
  }

  // ---- refused

  @Test
  void anExpiredOneIsRefused() {
    Instant now = Instant.now();
    refused(
        certificate().validity(now.minusSeconds(90), now.minusSeconds(60)),
        "the certificate expired at ");
  }

  @Test
  void oneThatIsNotYetValidIsRefused() {
    Instant now = Instant.now();
    refused(
        certificate().validity(now.plusSeconds(60), now.plusSeconds(90)),
        "the certificate is not valid before ");
  }

  @Test
  void oneWithoutTheExtensionIsRefused() {
    refused(
        certificate().signedKey(null),
        "the certificate lacks the libp2p extension 1.3.6.1.4.1.53594.1.1");
    refused(certificate().signedKey(null).extension("1.2.3.4", false), "lacks the libp2p");
  }

  @Test
  @DisplayName("Anything but two octet strings in the extension is refused")
  void extensionOfTwoOctetStrings() {
    byte[] right = new SignedKey(new byte[3], new byte[3]).encode();
    String malformed = "the libp2p extension is malformed";
    refused(certificate().signedKey(new byte[0]), malformed);
    refused(certificate().signedKey(new byte[] {1, 2, 3}), malformed);
    refused(certificate().signedKey(new byte[] {0x30, 0}), malformed);
    refused(certificate().signedKey(new byte[] {0x30, 6, 4, 1, 1, 2, 1, 1}), malformed);
    refused(certificate().signedKey(new byte[] {0x30, 9, 4, 1, 1, 4, 1, 1, 4, 1, 1}), malformed);
    refused(certificate().signedKey(Arrays.copyOf(right, right.length + 1)), malformed);
    refused(certificate().signedKey(Arrays.copyOf(right, right.length - 1)), malformed);
    // The same two, with a length in more bytes than it needs, and without one.
    refused(
        certificate().signedKey(new byte[] {0x30, 7, 4, (byte) 0x81, 1, 1, 4, 1, 1}), malformed);
    refused(
        certificate().signedKey(new byte[] {0x30, (byte) 0x80, 4, 1, 1, 4, 1, 1, 0, 0}), malformed);
  }

  @Test
  void aHostKeyThatIsNoneIsRefused() {
    refused(
        certificate().signedKey(new SignedKey(new byte[] {8, 9}, new byte[64]).encode()),
        "the libp2p extension's key is malformed");
  }

  @Test
  void aHostKeyThatHasSignedNothingIsRefused() {
    refused(
        certificate().claiming(PrivateKey.generateSecp256k1().publicKey(), identity),
        "the certificate's key is not signed by the SECP256K1 identity key shown");
  }

  @Test
  void aHostKeyThatHasSignedAnotherKeyIsRefused() throws Exception {
    byte[] another = RawCertificate.key("EC").getPublic().getEncoded();
    refused(
        certificate().signedKey(SignedKey.make(identity, another).encode()),
        "the certificate's key is not signed by the ED25519 identity key shown");
  }

  @Test
  void oneThatAnotherKeySignedIsRefused() {
    refused(certificate().signedByAnother(), "the certificate's self-signature is wrong");
  }

  @Test
  void anUnknownCriticalExtensionIsRefused() {
    refused(
        certificate().extension("1.2.3.4", true),
        "the certificate has the unknown critical extension 1.2.3.4");
  }

  @Test
  void aKeyThatIsNotForSignaturesIsRefused() {
    refused(
        certificate().extension("2.5.29.15", true, new byte[] {3, 2, 2, 4}),
        "the certificate's key is not for signatures");
  }

  @Test
  void aKeyOfAnotherTypeIsRefused() throws Exception {
    refused(
        certificate().key(identity, RawCertificate.key("Ed448"), "Ed448", "1.3.101.113"),
        "the certificate's key is of the unknown type 1.3.101.113");
  }

  @Test
  void anRsaKeyThatIsTooSmallOrTooLargeIsRefused() throws Exception {
    refused(
        certificate().key(identity, rsa(1_024), "SHA256withRSA", "1.2.840.113549.1.1.11"),
        "the certificate's RSA key has 1,024 bits");
  }

  @Test
  void aWeakHashIsRefused() throws Exception {
    refused(
        certificate().key(identity, rsa(2_048), "SHA1withRSA", "1.2.840.113549.1.1.5"),
        "a signature of the type 1.2.840.113549.1.1.5, which is none for its RSA key");
  }

  @Test
  void whateverBitIsFlippedItIsRefused() {
    byte[] right = certificate().encoded();
    for (int bit = 0; bit < right.length * 8; bit += 7) {
      byte[] wrong = right.clone();
      wrong[bit / 8] ^= (byte) (1 << bit % 8);
      assertThatThrownBy(() -> PeerCertificate.verify(wrong, Instant.now()))
          .as("bit %d", bit)
          .isInstanceOf(TlsException.class);
    }
  }

  @Test
  void garbageAndWhatIsCutShortAreRefused() {
    byte[] right = certificate().encoded();
    for (int length = 0; length < right.length; length += 7) {
      refused(Arrays.copyOf(right, length), "malformed");
    }
    byte[] random = new byte[500];
    new Random(1).nextBytes(random);
    refused(random, "malformed");
  }

  @Test
  void oneThatNestsDeeplyIsRefused() {
    byte[] nested = new byte[PeerCertificate.MAX_BYTES];
    for (int i = 0; i + 4 <= nested.length; i += 4) {
      int rest = nested.length - i - 4;
      nested[i] = 0x30;
      nested[i + 1] = (byte) 0x82;
      nested[i + 2] = (byte) (rest >> 8);
      nested[i + 3] = (byte) rest;
    }
    refused(nested, "malformed");
  }

  @Test
  void aHugeOneIsRefused() {
    refused(new byte[20_000], "a certificate of 20,000 bytes, the limit is 16,384");
  }

  private RawCertificate certificate() {
    return new RawCertificate(identity);
  }

  private static KeyPair rsa(int bits) throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(bits);
    return generator.generateKeyPair();
  }

  private static KeyPair curve(int bits) throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(bits);
    return generator.generateKeyPair();
  }

  private static void refused(RawCertificate certificate, String reason) {
    refused(certificate.encoded(), reason);
  }

  private static void refused(byte[] certificate, String reason) {
    assertThatThrownBy(() -> PeerCertificate.verify(certificate, Instant.now()))
        .isInstanceOf(TlsException.class)
        .hasMessageContaining(reason);
  }
}
