package io.grpcstream.libp2p.crypto;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/**
 * The {@code PublicKey} and {@code PrivateKey} messages, which have the same two fields. Written as
 * peer-ids.md demands: both fields, in order, in the fewest bytes. Read a little more generously
 * (order and varint lengths are free, as in go-libp2p), but each field exactly once, no other
 * field, and nothing larger than any key needs.
 */
final class KeyProto {
  /** Room for the PKIX form of an RSA key twice as long as those accepted, to say so. */
  static final int MAX_PUBLIC_BYTES = 4_096;

  /** Room for the PKCS #1 form of an RSA key twice as long as those accepted, to say so. */
  static final int MAX_PRIVATE_BYTES = 16_384;

  private static final int TYPE_TAG = 1 << 3;
  private static final int DATA_TAG = (2 << 3) | 2;

  private final KeyType type;
  private final byte[] data;

  private KeyProto(KeyType type, byte[] data) {
    this.type = type;
    this.data = data;
  }

  KeyType type() {
    return type;
  }

  /** The key in its type's own format; not a copy. */
  byte[] data() {
    return data;
  }

  static byte[] encode(KeyType type, byte[] data) {
    int size =
        CodedOutputStream.computeEnumSize(1, type.number())
            + CodedOutputStream.computeByteArraySize(2, data);
    byte[] encoded = new byte[size];
    try {
      CodedOutputStream out = CodedOutputStream.newInstance(encoded);
      out.writeEnum(1, type.number());
      out.writeByteArray(2, data);
      out.checkNoSpaceLeft();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return encoded;
  }

  static KeyProto decode(byte[] protobuf, int maxBytes) {
    if (protobuf.length > maxBytes) {
      throw new KeyFormatException("key: " + protobuf.length + " bytes, limit " + maxBytes);
    }
    try {
      return decode(CodedInputStream.newInstance(protobuf));
    } catch (IOException e) {
      throw new KeyFormatException("key: malformed protobuf: " + e.getMessage(), e);
    }
  }

  private static KeyProto decode(CodedInputStream in) throws IOException {
    @Nullable KeyType type = null;
    byte @Nullable [] data = null;
    while (!in.isAtEnd()) {
      int tag = in.readTag();
      if (tag == TYPE_TAG && type == null) {
        type = KeyType.ofNumber(in.readEnum());
      } else if (tag == DATA_TAG && data == null) {
        data = in.readByteArray();
      } else {
        throw new KeyFormatException(
            "key: protobuf field "
                + (tag >>> 3)
                + " of wire type "
                + (tag & 7)
                + " is repeated or not part of a key");
      }
    }
    if (type == null || data == null) {
      throw new KeyFormatException("key: no " + (type == null ? "type" : "data") + " field");
    }
    return new KeyProto(type, data);
  }
}
