package io.grpcstream.libp2p.security.noise;

import static io.grpcstream.libp2p.security.noise.NoiseCrypto.KEY_LENGTH;

import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.SecureRandom;
import java.util.Arrays;
import org.bouncycastle.math.ec.rfc7748.X25519;

/**
 * X25519 of Bouncy Castle: a ladder in constant time, as the JDK's, of half its time, and its keys
 * are made in a fifth.
 */
final class BouncyCastleKeyPair implements DhKeyPair {
  private static final SecureRandom RANDOM = new SecureRandom();

  private final byte[] privateKey;
  private final byte[] publicKey = new byte[KEY_LENGTH];

  /** The key pair of a given private key, which is this object's from now on. */
  BouncyCastleKeyPair(byte[] privateKey) {
    this.privateKey = privateKey;
    X25519.generatePublicKey(privateKey, 0, publicKey, 0);
  }

  static BouncyCastleKeyPair generate() {
    byte[] privateKey = new byte[KEY_LENGTH];
    X25519.generatePrivateKey(RANDOM, privateKey);
    return new BouncyCastleKeyPair(privateKey);
  }

  @Override
  public byte[] publicKey() {
    return publicKey;
  }

  @Override
  public byte[] dh(byte[] remoteKey) throws GeneralSecurityException {
    byte[] secret = new byte[KEY_LENGTH];
    if (!X25519.calculateAgreement(privateKey, 0, remoteKey, 0, secret, 0)) {
      throw new InvalidKeyException("the shared secret is all zero");
    }
    return secret;
  }

  @Override
  public void destroy() {
    Arrays.fill(privateKey, (byte) 0);
  }
}
