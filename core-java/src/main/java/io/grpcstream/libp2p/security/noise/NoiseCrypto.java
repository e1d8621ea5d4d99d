package io.grpcstream.libp2p.security.noise;

import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.PublicKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.HexFormat;
import javax.crypto.Cipher;
import javax.crypto.KeyAgreement;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * The functions of the cipher suite (Noise framework, sections 4 and 12), from the JCA. A provider,
 * if given, supplies the AEAD and, where it has it, X25519; the JDK supplies the rest. Thread-safe.
 */
final class NoiseCrypto {
  /** Bytes of an X25519 public key, a symmetric key and a hash. */
  static final int KEY_LENGTH = 32;

  /** Bytes of a Poly1305 tag. */
  static final int TAG_LENGTH = 16;

  private static final String AEAD = "ChaCha20-Poly1305";
  private static final String X25519 = "X25519";

  // The DER around a raw X25519 key (RFC 8410). Unlike the JDK's key specs, these encodings mean
  // the same to every provider.
  private static final byte[] PUBLIC_DER = HexFormat.of().parseHex("302a300506032b656e032100");
  private static final byte[] PRIVATE_DER =
      HexFormat.of().parseHex("302e020100300506032b656e04220420");

  private final @Nullable Provider aead;
  private final @Nullable Provider agreement;

  NoiseCrypto(@Nullable Provider provider) {
    aead = provider;
    boolean agrees =
        provider != null
            && provider.getService("KeyAgreement", X25519) != null
            && provider.getService("KeyFactory", X25519) != null
            && provider.getService("KeyPairGenerator", X25519) != null;
    agreement = agrees ? provider : null;
  }

  /** A key pair for Diffie-Hellman. The public key is in its 32-byte form (RFC 7748, section 5). */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record DhKeyPair(PrivateKey privateKey, byte[] publicKey) {}

  /** GENERATE_KEYPAIR. */
  DhKeyPair generateKeyPair() throws GeneralSecurityException {
    KeyPair pair =
        (agreement == null
                ? KeyPairGenerator.getInstance(X25519)
                : KeyPairGenerator.getInstance(X25519, agreement))
            .generateKeyPair();
    byte[] der = pair.getPublic().getEncoded();
    return new DhKeyPair(
        pair.getPrivate(), Arrays.copyOfRange(der, der.length - KEY_LENGTH, der.length));
  }

  /** The key pair of a given 32-byte private key. */
  DhKeyPair keyPair(byte[] privateKey) throws GeneralSecurityException {
    PrivateKey key =
        keyFactory().generatePrivate(new PKCS8EncodedKeySpec(concat(PRIVATE_DER, privateKey)));
    byte[] basePoint = new byte[KEY_LENGTH];
    basePoint[0] = 9;
    return new DhKeyPair(key, dh(key, basePoint));
  }

  /**
   * DH. Fails on a public key for which the result is all zero, whatever the private key: such a
   * key contributes nothing (RFC 7748, section 6.1).
   */
  byte[] dh(PrivateKey privateKey, byte[] publicKey) throws GeneralSecurityException {
    PublicKey key =
        keyFactory().generatePublic(new X509EncodedKeySpec(concat(PUBLIC_DER, publicKey)));
    KeyAgreement dh =
        agreement == null
            ? KeyAgreement.getInstance(X25519)
            : KeyAgreement.getInstance(X25519, agreement);
    dh.init(privateKey);
    dh.doPhase(key, true);
    byte[] secret = dh.generateSecret();
    if (MessageDigest.isEqual(secret, new byte[KEY_LENGTH])) {
      throw new InvalidKeyException("the shared secret is all zero");
    }
    return secret;
  }

  /** A cipher for one direction of one connection. */
  Cipher newCipher() throws GeneralSecurityException {
    return aead == null ? Cipher.getInstance(AEAD) : Cipher.getInstance(AEAD, aead);
  }

  /** HASH of the concatenated parts. */
  static byte[] hash(byte[] first, byte[] second) throws GeneralSecurityException {
    MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
    sha256.update(first);
    return sha256.digest(second);
  }

  /** HKDF with two outputs (Noise framework, section 4.3). */
  static byte[][] hkdf(byte[] chainingKey, byte[] input) throws GeneralSecurityException {
    byte[] temp = hmac(chainingKey, input);
    byte[] first = hmac(temp, new byte[] {1});
    byte[] second = hmac(temp, concat(first, new byte[] {2}));
    Arrays.fill(temp, (byte) 0);
    return new byte[][] {first, second};
  }

  static byte[] concat(byte[] first, byte[] second) {
    byte[] both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }

  private KeyFactory keyFactory() throws GeneralSecurityException {
    return agreement == null
        ? KeyFactory.getInstance(X25519)
        : KeyFactory.getInstance(X25519, agreement);
  }

  private static byte[] hmac(byte[] key, byte[] data) throws GeneralSecurityException {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    return mac.doFinal(data);
  }
}
