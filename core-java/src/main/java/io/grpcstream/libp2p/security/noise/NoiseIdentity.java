package io.grpcstream.libp2p.security.noise;

import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.crypto.PublicKey;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.List;

/**
 * What a host shows in all its handshakes: its static Noise key, made once and never stored, and
 * its identity key's signature over it (noise/README.md, Static Key Authentication).
 */
final class NoiseIdentity {
  private static final byte[] SIGNATURE_PREFIX =
      "noise-libp2p-static-key:".getBytes(StandardCharsets.US_ASCII);

  private final DhKeyPair staticKey;
  private final byte[] publicKey;
  private final byte[] signature;

  NoiseIdentity(NoiseCrypto crypto, PrivateKey identity) throws GeneralSecurityException {
    this.staticKey = crypto.generateKeyPair();
    this.publicKey = identity.publicKey().marshal();
    this.signature = identity.sign(signed(staticKey.publicKey()));
  }

  DhKeyPair staticKey() {
    return staticKey;
  }

  /** The payload of this side's handshake message. */
  byte[] payload(List<String> muxers) {
    return new NoisePayload(publicKey, signature, muxers).encode();
  }

  /** The identity key in {@code payload}, if it signed {@code remoteStatic}. */
  static PublicKey verify(NoisePayload payload, byte[] remoteStatic) throws NoiseException {
    PublicKey key;
    try {
      key = PublicKey.unmarshal(payload.identityKey());
    } catch (RuntimeException e) {
      throw new NoiseException("the identity key is malformed: " + e.getMessage(), e);
    }
    if (!key.verify(signed(remoteStatic), payload.identitySignature())) {
      throw new NoiseException(
          "the static key is not signed by the %s identity key shown".formatted(key.type()));
    }
    return key;
  }

  private static byte[] signed(byte[] staticKey) {
    return NoiseCrypto.concat(SIGNATURE_PREFIX, staticKey);
  }
}
