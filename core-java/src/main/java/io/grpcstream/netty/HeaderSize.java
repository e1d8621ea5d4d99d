package io.grpcstream.netty;

import io.grpc.InternalMetadata;
import io.grpc.Metadata;
import io.grpcstream.libp2p.Stream;
import io.netty.util.AttributeKey;
import java.nio.charset.StandardCharsets;

/**
 * Sizes of HTTP/2 header lists (RFC 9113, section 6.5.2: the uncompressed bytes of each name and
 * value, and 32 for each field), and what the peer on a stream takes of them.
 */
final class HeaderSize {
  /** What each field counts beside its bytes. */
  static final int FIELD = 32;

  private static final AttributeKey<Long> PEERS_LIMIT =
      AttributeKey.valueOf(HeaderSize.class, "PEERS_LIMIT");

  private HeaderSize() {}

  /** The peer on {@code stream} has told its SETTINGS_MAX_HEADER_LIST_SIZE. */
  static void setLimit(Stream stream, long bytes) {
    stream.channel().attr(PEERS_LIMIT).set(bytes);
  }

  /** What the peer on {@code stream} takes, or has not told that it does not. */
  static long limit(Stream stream) {
    Long limit = stream.channel().attr(PEERS_LIMIT).get();
    return limit == null ? Long.MAX_VALUE : limit;
  }

  /** The size of what {@code metadata} becomes. */
  static long of(Metadata metadata) {
    byte[][] fields = InternalMetadata.serialize(metadata);
    long size = 0;
    for (int i = 0; i + 1 < fields.length; i += 2) {
      String name = new String(fields[i], StandardCharsets.US_ASCII);
      int value = fields[i + 1].length;
      boolean binary = name.endsWith(Metadata.BINARY_HEADER_SUFFIX);
      size += FIELD + fields[i].length + (binary ? base64(value) : value);
    }
    return size;
  }

  /** The length in base64 without padding, as gRPC sends it. */
  private static long base64(int bytes) {
    return (bytes * 4L + 2) / 3;
  }

  /** The length of a status text as gRPC sends it, percent-encoded where it is not plain ASCII. */
  static long ofText(String text) {
    long size = 0;
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      size += b >= ' ' && b < '~' + 1 && b != '%' ? 1 : 3;
    }
    return size;
  }
}
