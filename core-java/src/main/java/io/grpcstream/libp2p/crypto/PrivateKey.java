package io.grpcstream.libp2p.crypto;

import java.io.IOException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A libp2p identity key. Immutable and thread-safe. Its text form never shows the key; two keys are
 * compared in constant time.
 *
 * @see <a href="https://github.com/libp2p/specs/blob/master/peer-ids/peer-ids.md">Peer ids and
 *     keys</a>
 */
public abstract class PrivateKey {
  PrivateKey() {}

  /** Which of the four types this key is. */
  public abstract KeyType type();

  /** The public half, from which the peer id is made. */
  public abstract PublicKey publicKey();

  /** Signs {@code message}, as a whole, the way {@link #type()} says. Does not block. */
  public abstract byte[] sign(byte[] message);

  /** The {@code Data} field of the key's protobuf form. */
  abstract byte[] raw();

  /** The deterministic libp2p protobuf form; it holds the secret, so handle it as one. */
  public final byte[] marshal() {
    return KeyProto.encode(type(), raw());
  }

  /** A fresh Ed25519 key, the type that every libp2p peer understands. */
  public static PrivateKey generateEd25519() {
    return Ed25519PrivateKey.generate();
  }

  /** A fresh secp256k1 key, the type that blockchain networks such as Polygon Edge use. */
  public static PrivateKey generateSecp256k1() {
    return Secp256k1PrivateKey.generate();
  }

  /**
   * The key in {@code protobuf}: Ed25519 in its 64- and 96-byte forms, secp256k1 as 32 bytes, ECDSA
   * as a SEC 1 structure in DER, RSA as PKCS #1.
   *
   * @throws KeyFormatException if it is longer than 16,384 bytes, malformed, of an unknown type, at
   *     odds with its own public half, or an RSA key outside 2,048 to 8,192 bits
   */
  public static PrivateKey unmarshal(byte[] protobuf) {
    Objects.requireNonNull(protobuf, "the protobuf is null");
    KeyProto key = KeyProto.decode(protobuf, KeyProto.MAX_PRIVATE_BYTES);
    return switch (key.type()) {
      case RSA -> RsaPrivateKey.parse(key.data());
      case ED25519 -> Ed25519PrivateKey.parse(key.data());
      case SECP256K1 -> Secp256k1PrivateKey.parse(key.data());
      case ECDSA -> EcdsaPrivateKey.parse(key.data());
    };
  }

  /**
   * Reads a key file: the {@link #marshal marshalled} key and nothing else, as go-libp2p writes it.
   * Blocks on the file system. A file that a group has to read, such as a secret that is mounted
   * for one, is read by {@code unmarshal(Files.readAllBytes(file))} instead.
   *
   * @throws IOException if it cannot be read, holds no valid key, or, where the file system has
   *     POSIX permissions, anyone but its owner may use it; elsewhere keeping others out is left to
   *     the directory it is in
   */
  public static PrivateKey load(Path file) throws IOException {
    return KeyFile.load(requireFile(file));
  }

  /** As {@link #loadOrCreate(Path, Supplier)}, making an Ed25519 key. */
  public static PrivateKey loadOrCreate(Path file) throws IOException {
    return loadOrCreate(file, PrivateKey::generateEd25519);
  }

  /**
   * {@link #load Loads} the key file, or else writes one with a new key of {@code generator}, along
   * with missing directories. Where the file system has POSIX permissions the file is its owner's
   * alone ({@code rw-------}) from the moment it exists. Of several processes or threads that race
   * to create it, one wins and all return the winner's key. Blocks on the file system.
   *
   * @throws IOException as {@link #load} does, or if the file cannot be written
   */
  public static PrivateKey loadOrCreate(Path file, Supplier<PrivateKey> generator)
      throws IOException {
    return KeyFile.loadOrCreate(
        requireFile(file), Objects.requireNonNull(generator, "the generator is null"));
  }

  private static Path requireFile(Path file) {
    return Objects.requireNonNull(file, "the file is null");
  }

  @Override
  public final boolean equals(@Nullable Object other) {
    return other instanceof PrivateKey that
        && type() == that.type()
        && MessageDigest.isEqual(raw(), that.raw());
  }

  @Override
  public final int hashCode() {
    return publicKey().hashCode();
  }

  /** Names the public half, never the secret. */
  @Override
  public final String toString() {
    return type() + " private key of " + publicKey();
  }
}
