package io.grpcstream.libp2p.security.noise;

import static io.grpcstream.libp2p.security.noise.NoiseCrypto.TAG_LENGTH;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The chaining key, the handshake hash and the current key (Noise framework, section 5.2). */
final class SymmetricState {
  private final NoiseCrypto crypto;
  private byte[] chainingKey;
  private byte[] hash;
  private @Nullable CipherState cipher;

  /** InitializeSymmetric. The name must have 32 bytes at most, which libp2p's has. */
  SymmetricState(NoiseCrypto crypto, String protocolName) {
    this.crypto = crypto;
    this.hash =
        Arrays.copyOf(protocolName.getBytes(StandardCharsets.US_ASCII), NoiseCrypto.KEY_LENGTH);
    this.chainingKey = hash.clone();
  }

  void mixKey(byte[] input) throws GeneralSecurityException {
    byte[][] keys = NoiseCrypto.hkdf(chainingKey, input);
    destroy();
    chainingKey = keys[0];
    cipher = new CipherState(crypto, keys[1]);
    Arrays.fill(keys[1], (byte) 0);
  }

  void mixHash(byte[] data) throws GeneralSecurityException {
    hash = NoiseCrypto.hash(hash, data);
  }

  /** Bytes by which {@link #encryptAndHash} lengthens its input: none until there is a key. */
  int overhead() {
    return cipher == null ? 0 : TAG_LENGTH;
  }

  byte[] encryptAndHash(byte[] plaintext) throws GeneralSecurityException {
    byte[] ciphertext = plaintext;
    if (cipher != null) {
      ciphertext = new byte[plaintext.length + TAG_LENGTH];
      cipher.encrypt(hash, plaintext, 0, plaintext.length, ciphertext, 0);
    }
    mixHash(ciphertext);
    return ciphertext;
  }

  byte[] decryptAndHash(byte[] ciphertext) throws GeneralSecurityException {
    byte[] plaintext = ciphertext;
    if (cipher != null) {
      plaintext = new byte[ciphertext.length - TAG_LENGTH];
      cipher.decrypt(hash, ciphertext, 0, ciphertext.length, plaintext, 0);
    }
    mixHash(ciphertext);
    return plaintext;
  }

  /** Split: the cipher of the initiator's transport messages, then that of the responder's. */
  CipherState[] split() throws GeneralSecurityException {
    byte[][] keys = NoiseCrypto.hkdf(chainingKey, new byte[0]);
    CipherState[] ciphers = {new CipherState(crypto, keys[0]), new CipherState(crypto, keys[1])};
    Arrays.fill(keys[0], (byte) 0);
    Arrays.fill(keys[1], (byte) 0);
    destroy();
    return ciphers;
  }

  /** GetHandshakeHash. */
  byte[] handshakeHash() {
    return hash.clone();
  }

  /** Forgets the keys. */
  void destroy() {
    Arrays.fill(chainingKey, (byte) 0);
    if (cipher != null) {
      cipher.destroy();
      cipher = null;
    }
  }
}
