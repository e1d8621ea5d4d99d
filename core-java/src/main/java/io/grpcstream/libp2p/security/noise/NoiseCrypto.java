package io.grpcstream.libp2p.security.noise;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.Provider;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * The functions of the cipher suite (Noise framework, sections 4 and 12), from the JCA, but X25519
 * from Bouncy Castle. A provider, if given, supplies the AEAD and, where it has it, X25519.
 * Thread-safe.
 */
final class NoiseCrypto {
  /** Bytes of an X25519 key, a symmetric key and a hash. */
  static final int KEY_LENGTH = 32;

  /** Bytes of a Poly1305 tag. */
  static final int TAG_LENGTH = 16;

  private static final String AEAD = "ChaCha20-Poly1305";

  private final @Nullable Provider aead;
  private final @Nullable Provider agreement;

  NoiseCrypto(@Nullable Provider provider) {
    aead = provider;
    agreement = provider != null && ProviderKeyPair.isOfferedBy(provider) ? provider : null;
  }

  /** GENERATE_KEYPAIR. */
  DhKeyPair generateKeyPair() throws GeneralSecurityException {
    return agreement == null ? BouncyCastleKeyPair.generate() : ProviderKeyPair.generate(agreement);
  }

  /** The key pair of a given 32-byte private key. */
  DhKeyPair keyPair(byte[] privateKey) throws GeneralSecurityException {
    return agreement == null
        ? new BouncyCastleKeyPair(privateKey.clone())
        : ProviderKeyPair.of(agreement, privateKey);
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

  private static byte[] hmac(byte[] key, byte[] data) throws GeneralSecurityException {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    return mac.doFinal(data);
  }
}
