package io.grpcstream.libp2p.security.noise;

import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.crypto.PublicKey;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.List;

/**
 * One end of a Noise connection over plain byte arrays, for peers that break the rules: every
 * message passes through the caller's hands, who may cut, change, repeat or hold it back.
 */
public final class RawNoise {
  private final NoiseHandshake handshake;
  private final NoiseIdentity identity;
  private CipherState sender;
  private CipherState receiver;

  /** One end with an identity. */
  public RawNoise(boolean initiator, PrivateKey key) {
    try {
      NoiseCrypto crypto = new NoiseCrypto(null);
      identity = new NoiseIdentity(crypto, key);
      handshake = new NoiseHandshake(crypto, initiator, identity.staticKey());
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  /** The honest payload, with the muxers to agree on inside the handshake. */
  public byte[] payload(String... muxers) {
    return identity.payload(List.of(muxers));
  }

  /** A payload that shows {@code claimed} as the identity, with a signature by another key. */
  public byte[] payloadClaiming(PublicKey claimed, String... muxers) {
    try {
      NoisePayload own = NoisePayload.decode(payload(muxers));
      return new NoisePayload(claimed.marshal(), own.identitySignature(), own.streamMuxers())
          .encode();
    } catch (NoiseException e) {
      throw new AssertionError(e);
    }
  }

  /** The next handshake message of this end. */
  public byte[] write(byte[] payload) {
    try {
      return handshake.writeMessage(payload);
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  /** Takes the next handshake message of the other end; returns its payload. */
  public byte[] read(byte[] message) {
    try {
      return handshake.readMessage(message);
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  /** Encrypts one transport message. */
  public byte[] seal(byte[] plaintext) {
    try {
      split();
      byte[] sealed = new byte[plaintext.length + NoiseCrypto.TAG_LENGTH];
      sender.encrypt(plaintext, 0, plaintext.length, sealed, 0);
      return sealed;
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  /** Decrypts one transport message. */
  public byte[] open(byte[] sealed) {
    try {
      split();
      byte[] plaintext = new byte[sealed.length];
      int length = receiver.decrypt(sealed, 0, sealed.length, plaintext, 0);
      return Arrays.copyOf(plaintext, length);
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  private void split() throws GeneralSecurityException {
    if (sender == null) {
      CipherState[] ciphers = handshake.split();
      sender = ciphers[0];
      receiver = ciphers[1];
    }
  }
}
