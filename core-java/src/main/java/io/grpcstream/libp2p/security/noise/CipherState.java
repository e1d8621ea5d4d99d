package io.grpcstream.libp2p.security.noise;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.spec.AlgorithmParameterSpec;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.IvParameterSpec;
import org.jspecify.annotations.Nullable;

/**
 * A key and its counting nonce (Noise framework, section 5.1). The nonce is a 64-bit counter,
 * little endian, behind four zero bytes (section 12.3); its last value is never used, so a pair of
 * key and nonce never encrypts twice. Not thread-safe.
 */
final class CipherState {
  private static final byte[] NO_DATA = {};

  /** Reserved by the Noise framework, section 5.1: 2^64-1. */
  private static final long LAST_NONCE = -1;

  private final Cipher cipher;
  private final byte[] nonce = new byte[12];
  private @Nullable Key key;
  private long counter;

  CipherState(NoiseCrypto crypto, byte[] key) throws GeneralSecurityException {
    this.cipher = crypto.newCipher();
    this.key = new Key(key);
  }

  /**
   * EncryptWithAd. {@code in} and {@code out} may be the same array at the same offset.
   *
   * @return the bytes written, {@code length} and the tag
   */
  int encrypt(byte[] ad, byte[] in, int offset, int length, byte[] out, int outOffset)
      throws GeneralSecurityException {
    init(Cipher.ENCRYPT_MODE, ad);
    return cipher.doFinal(in, offset, length, out, outOffset);
  }

  /** {@link #encrypt(byte[], byte[], int, int, byte[], int)} without associated data. */
  int encrypt(byte[] in, int offset, int length, byte[] out, int outOffset)
      throws GeneralSecurityException {
    return encrypt(NO_DATA, in, offset, length, out, outOffset);
  }

  /**
   * DecryptWithAd. {@code in} and {@code out} must not be the same array. The JDK's cipher saves a
   * copy if {@code offset} is 0.
   *
   * @return the bytes written, {@code length} less the tag
   * @throws javax.crypto.AEADBadTagException if it was not encrypted with this key, nonce and data
   */
  int decrypt(byte[] ad, byte[] in, int offset, int length, byte[] out, int outOffset)
      throws GeneralSecurityException {
    init(Cipher.DECRYPT_MODE, ad);
    return cipher.doFinal(in, offset, length, out, outOffset);
  }

  /** {@link #decrypt(byte[], byte[], int, int, byte[], int)} without associated data. */
  int decrypt(byte[] in, int offset, int length, byte[] out, int outOffset)
      throws GeneralSecurityException {
    return decrypt(NO_DATA, in, offset, length, out, outOffset);
  }

  /** {@link #encrypt(byte[], int, int, byte[], int)} of all of {@code in} to {@code out}. */
  int encrypt(ByteBuffer in, ByteBuffer out) throws GeneralSecurityException {
    init(Cipher.ENCRYPT_MODE, NO_DATA);
    return cipher.doFinal(in, out);
  }

  /** {@link #decrypt(byte[], int, int, byte[], int)} of all of {@code in} to {@code out}. */
  int decrypt(ByteBuffer in, ByteBuffer out) throws GeneralSecurityException {
    init(Cipher.DECRYPT_MODE, NO_DATA);
    return cipher.doFinal(in, out);
  }

  /**
   * Whether the cipher is not the JDK's, and so taken for a native one, whoever chose it: the user
   * for this host, or the order of the JVM's providers.
   */
  boolean isNative() {
    return !cipher.getProvider().getName().equals("SunJCE");
  }

  /** SetNonce; only to be raised. */
  void setNonce(long counter) {
    this.counter = counter;
  }

  /** Forgets the key. Later calls fail. */
  void destroy() {
    if (key != null) {
      key.destroy();
      key = null;
    }
  }

  private void init(int mode, byte[] ad) throws GeneralSecurityException {
    if (key == null) {
      throw new GeneralSecurityException("the key was destroyed");
    }
    if (counter == LAST_NONCE) {
      throw new GeneralSecurityException("the 2^64-1 nonces of the key are used up");
    }
    long n = counter++;
    for (int i = 4; i < 12; i++) {
      nonce[i] = (byte) n;
      n >>>= 8;
    }
    AlgorithmParameterSpec parameters = new IvParameterSpec(nonce);
    cipher.init(mode, key, parameters);
    if (ad.length > 0) {
      cipher.updateAAD(ad);
    }
  }

  /** A key that can be wiped; the JDK's own cannot. */
  private static final class Key implements SecretKey {
    private static final long serialVersionUID = 1L;

    private final byte[] bytes;

    Key(byte[] bytes) {
      this.bytes = bytes.clone();
    }

    @Override
    public String getAlgorithm() {
      return "ChaCha20";
    }

    @Override
    public String getFormat() {
      return "RAW";
    }

    @Override
    public byte[] getEncoded() {
      return bytes.clone();
    }

    @Override
    public void destroy() {
      Arrays.fill(bytes, (byte) 0);
    }
  }
}
