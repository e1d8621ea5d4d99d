package io.grpcstream.libp2p.crypto;

import java.nio.file.Path;

/** A libp2p identity key. */
public abstract class PrivateKey {
  public abstract KeyType type();

  public abstract PublicKey publicKey();

  /** Signs {@code message}; thread-safe. */
  public abstract byte[] sign(byte[] message);

  public byte[] marshal() {
    throw new UnsupportedOperationException();
  }

  public static PrivateKey generateEd25519() {
    throw new UnsupportedOperationException();
  }

  public static PrivateKey generateSecp256k1() {
    throw new UnsupportedOperationException();
  }

  public static PrivateKey unmarshal(byte[] protobuf) {
    throw new UnsupportedOperationException();
  }

  public static PrivateKey load(Path file) throws java.io.IOException {
    throw new UnsupportedOperationException();
  }

  public static PrivateKey loadOrCreate(Path file) throws java.io.IOException {
    throw new UnsupportedOperationException();
  }
}
