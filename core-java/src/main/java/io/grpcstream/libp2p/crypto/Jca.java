package io.grpcstream.libp2p.crypto;

import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.SignatureException;

/** Signatures and digests by the JCA. All of these algorithms are in every JDK from 17 on. */
final class Jca {
  static final SecureRandom RANDOM = new SecureRandom();

  private Jca() {}

  static byte[] sha256(byte[] message) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(message);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("this JDK lacks SHA-256", e);
    }
  }

  static byte[] sign(String algorithm, java.security.PrivateKey key, byte[] message) {
    try {
      Signature signature = Signature.getInstance(algorithm);
      signature.initSign(key);
      signature.update(message);
      return signature.sign();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("cannot sign with " + algorithm, e);
    }
  }

  static boolean verify(
      String algorithm, java.security.PublicKey key, byte[] message, byte[] signed) {
    try {
      Signature signature = Signature.getInstance(algorithm);
      signature.initVerify(key);
      signature.update(message);
      return signature.verify(signed);
    } catch (SignatureException | InvalidKeyException e) {
      return false; // the remote's bytes are no signature, or its key is no point of the curve
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("this JDK lacks " + algorithm, e);
    }
  }
}
