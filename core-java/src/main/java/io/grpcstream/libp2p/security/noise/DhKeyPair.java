package io.grpcstream.libp2p.security.noise;

import java.security.GeneralSecurityException;

/** A key pair for Diffie-Hellman by X25519 (RFC 7748). Not thread-safe while it is destroyed. */
interface DhKeyPair {
  /** The public key in its 32-byte form (RFC 7748, section 5); not a copy. */
  byte[] publicKey();

  /**
   * DH (Noise framework, section 4.1).
   *
   * @param remoteKey the remote's public key
   * @throws GeneralSecurityException if the result is all zero, which it is with some public keys
   *     whatever the private key: such a key contributes nothing (RFC 7748, section 6.1)
   */
  byte[] dh(byte[] remoteKey) throws GeneralSecurityException;

  /** Forgets the private key, if it is this object's to forget. */
  void destroy();
}
