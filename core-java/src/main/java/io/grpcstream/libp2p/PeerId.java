package io.grpcstream.libp2p;

import io.grpcstream.libp2p.crypto.KeyFormatException;
import io.grpcstream.libp2p.crypto.PublicKey;
import io.grpcstream.libp2p.multiformats.Base32;
import io.grpcstream.libp2p.multiformats.Multibase;
import io.grpcstream.libp2p.multiformats.Quote;
import io.grpcstream.libp2p.multiformats.RadixEncoding;
import io.grpcstream.libp2p.multiformats.Varint;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The name of a libp2p peer: the multihash of its public key. Short keys (Ed25519, secp256k1) stand
 * in it as they are, longer ones as their SHA-256. Immutable; ordered by its bytes, as unsigned
 * numbers.
 *
 * @see <a href="https://github.com/libp2p/specs/blob/master/peer-ids/peer-ids.md#peer-ids">Peer
 *     ids</a>
 */
public final class PeerId implements Comparable<PeerId> {
  private static final int IDENTITY = 0x00;
  private static final int MAX_IDENTITY_BYTES = 42;
  private static final int SHA2_256 = 0x12;
  private static final int SHA2_256_BYTES = 32;
  private static final int CID_VERSION = 1;
  private static final int LIBP2P_KEY = 0x72;

  private final byte[] multihash;
  private final String text;

  private PeerId(byte[] multihash) {
    this.multihash = multihash;
    this.text = RadixEncoding.BASE58BTC.encode(multihash);
  }

  /**
   * Reads a peer id in either text form: a bare base58btc multihash ({@code Qm…}, {@code 12D3…},
   * {@code 16Uiu2…}) or a CIDv1 of codec {@code libp2p-key} in base32, base36, base58btc or
   * base64url ({@code bafz…}, {@code k51…}).
   *
   * @throws IllegalArgumentException if {@code text} is neither, or has lost a part; the message
   *     shows it and says why
   */
  public static PeerId parse(String text) {
    Objects.requireNonNull(text, "the text is null");
    try {
      if (text.startsWith("1") || text.startsWith("Qm")) {
        return fromWholeMultihash(RadixEncoding.BASE58BTC.decode(text));
      }
      return fromCid(ByteBuffer.wrap(Multibase.decode(text)));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("peer id " + Quote.of(text) + ": " + e.getMessage(), e);
    }
  }

  private static PeerId fromCid(ByteBuffer cid) {
    long version = Varint.read(cid);
    if (version != CID_VERSION) {
      throw new IllegalArgumentException("CID version " + version + ", expected 1");
    }
    long codec = Varint.read(cid);
    if (codec != LIBP2P_KEY) {
      throw new IllegalArgumentException(
          "CID codec 0x" + Long.toHexString(codec) + ", expected libp2p-key (0x72)");
    }
    byte[] multihash = new byte[cid.remaining()];
    cid.get(multihash);
    return fromWholeMultihash(multihash);
  }

  /** Says of what was once text that it may have been cut: the usual reason, if it makes no id. */
  private static PeerId fromWholeMultihash(byte[] multihash) {
    try {
      return fromMultihash(multihash);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("not a whole peer id (" + e.getMessage() + ")", e);
    }
  }

  /**
   * The peer id with these bytes.
   *
   * @throws IllegalArgumentException if they are not exactly one multihash that may name a peer:
   *     SHA-256 of 32 bytes, or identity of at most 42
   */
  public static PeerId fromBytes(byte[] multihash) {
    Objects.requireNonNull(multihash, "the multihash is null");
    try {
      return fromMultihash(multihash.clone());
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("peer id bytes: " + e.getMessage(), e);
    }
  }

  private static PeerId fromMultihash(byte[] multihash) {
    ByteBuffer in = ByteBuffer.wrap(multihash);
    long code = Varint.read(in);
    if (code != IDENTITY && code != SHA2_256) {
      throw new IllegalArgumentException(
          "multihash code 0x"
              + Long.toHexString(code)
              + ", expected identity (0x0) or sha2-256 (0x12)");
    }
    long length = Varint.read(in);
    if (length != in.remaining()) {
      throw new IllegalArgumentException(
          "multihash length " + length + ", but " + in.remaining() + " bytes follow");
    }
    if (code == SHA2_256 && length != SHA2_256_BYTES) {
      throw new IllegalArgumentException("sha2-256 multihash of " + length + " bytes, expected 32");
    }
    if (code == IDENTITY && (length == 0 || length > MAX_IDENTITY_BYTES)) {
      throw new IllegalArgumentException(
          "identity multihash of " + length + " bytes, expected 1 to " + MAX_IDENTITY_BYTES);
    }
    return new PeerId(multihash);
  }

  /** The peer id of the owner of {@code key}. */
  public static PeerId of(PublicKey key) {
    return new PeerId(Objects.requireNonNull(key, "the key is null").peerIdBytes());
  }

  /**
   * The public key, if the id holds it and is the id of that key; ids of RSA and ECDSA keys hold
   * only a hash. Empty, too, for an identity multihash of something other than a key.
   */
  public Optional<PublicKey> extractPublicKey() {
    if (multihash[0] != IDENTITY) {
      return Optional.empty();
    }
    try {
      PublicKey key = PublicKey.unmarshal(Arrays.copyOfRange(multihash, 2, multihash.length));
      return Arrays.equals(key.peerIdBytes(), multihash) ? Optional.of(key) : Optional.empty();
    } catch (KeyFormatException e) {
      return Optional.empty(); // a stranger may name anything a peer
    }
  }

  /** A new copy of the multihash. */
  public byte[] bytes() {
    return multihash.clone();
  }

  /** The id as a CIDv1 in base32, {@code bafz…}. */
  public String toCid() {
    ByteArrayOutputStream cid = new ByteArrayOutputStream(2 + multihash.length);
    cid.write(CID_VERSION);
    cid.write(LIBP2P_KEY);
    cid.writeBytes(multihash);
    return 'b' + Base32.encode(cid.toByteArray());
  }

  /** The first four and the last six characters, to tell peers apart in logs. */
  public String shortString() {
    return text.length() <= 11
        ? text
        : text.substring(0, 4) + '…' + text.substring(text.length() - 6);
  }

  /** The id in base58btc, {@code Qm…}, {@code 12D3…} or {@code 16Uiu2…}. */
  @Override
  public String toString() {
    return text;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof PeerId that && Arrays.equals(multihash, that.multihash);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(multihash);
  }

  @Override
  public int compareTo(PeerId other) {
    Objects.requireNonNull(other, "the other peer is null");
    return Arrays.compareUnsigned(multihash, other.multihash);
  }
}
