package io.grpcstream.libp2p.crypto;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A libp2p public key: verifies signatures and gives the bytes a peer id is made of. Immutable and
 * thread-safe. Two keys are equal if their deterministic forms are.
 *
 * @see <a href="https://github.com/libp2p/specs/blob/master/peer-ids/peer-ids.md">Peer ids and
 *     keys</a>
 */
public abstract class PublicKey {
  /** Keys of at most that many marshalled bytes are their own peer id (peer-ids.md, "Peer Ids"). */
  private static final int MAX_INLINE_BYTES = 42;

  private static final int IDENTITY = 0x00;
  private static final int SHA2_256 = 0x12;

  PublicKey() {}

  /** Which of the four types this key is. */
  public abstract KeyType type();

  /**
   * A new copy of the {@code Data} field of the key's protobuf form: 32 bytes for Ed25519, a
   * 33-byte compressed point for secp256k1, the DER of a SubjectPublicKeyInfo (RFC 5280) for RSA
   * and ECDSA.
   */
  public abstract byte[] raw();

  /**
   * Whether {@code signature} is this key's signature over {@code message}. Never throws on bad
   * input: what is no signature at all is no valid one. Takes some 0.1 ms and does not block.
   */
  public abstract boolean verify(byte[] message, byte[] signature);

  /** The deterministic libp2p protobuf form, whatever form the key was read from. */
  public final byte[] marshal() {
    return KeyProto.encode(type(), raw());
  }

  /**
   * The multihash that is this key's peer id: of the marshalled key itself if that has at most 42
   * bytes, else of its SHA-256.
   */
  public final byte[] peerIdBytes() {
    byte[] marshalled = marshal();
    boolean inline = marshalled.length <= MAX_INLINE_BYTES;
    byte[] digest = inline ? marshalled : Jca.sha256(marshalled);
    ByteArrayOutputStream multihash = new ByteArrayOutputStream(2 + digest.length);
    multihash.write(inline ? IDENTITY : SHA2_256);
    multihash.write(digest.length);
    multihash.writeBytes(digest);
    return multihash.toByteArray();
  }

  /**
   * The key in {@code protobuf}. Fields may come in either order and varints may be padded, but
   * there must be both fields and no other.
   *
   * @throws KeyFormatException if it is longer than 4,096 bytes, malformed, of an unknown type, not
   *     a point of its curve, or an RSA key outside 2,048 to 8,192 bits
   */
  public static PublicKey unmarshal(byte[] protobuf) {
    Objects.requireNonNull(protobuf, "the protobuf is null");
    KeyProto key = KeyProto.decode(protobuf, KeyProto.MAX_PUBLIC_BYTES);
    return switch (key.type()) {
      case RSA -> RsaPublicKey.parse(key.data());
      case ED25519 -> Ed25519PublicKey.parse(key.data());
      case SECP256K1 -> Secp256k1PublicKey.parse(key.data());
      case ECDSA -> EcdsaPublicKey.parse(key.data());
    };
  }

  @Override
  public final boolean equals(@Nullable Object other) {
    return other instanceof PublicKey that
        && type() == that.type()
        && Arrays.equals(raw(), that.raw());
  }

  @Override
  public final int hashCode() {
    return Arrays.hashCode(raw());
  }

  /** The type and the first bytes of the SHA-256 of the key, for logs. */
  @Override
  public final String toString() {
    return type() + " public key sha256:" + HexFormat.of().formatHex(Jca.sha256(raw()), 0, 8);
  }
}
