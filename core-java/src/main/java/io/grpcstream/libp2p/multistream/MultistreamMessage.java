package io.grpcstream.libp2p.multistream;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

/**
 * The form of a message: its length as an unsigned varint, UTF-8 text, and a newline, which the
 * length includes (connections/README.md, multistream-select).
 */
final class MultistreamMessage {
  /** The longest message, newline included, that is sent or accepted, as in go-multistream. */
  static final int MAX_LENGTH = 1024;

  private static final int QUOTED_CHARS = 64;

  private MultistreamMessage() {}

  /** Appends {@code text} as a message. Fails if it does not fit a message. */
  static void write(ByteBuf out, String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    int length = utf8.length + 1;
    if (length > MAX_LENGTH) {
      throw new IllegalArgumentException(
          "a multistream message of %,d bytes is longer than %,d: %s"
              .formatted(length, MAX_LENGTH, quote(text)));
    }
    if (length < 0x80) {
      out.writeByte(length);
    } else {
      out.writeByte((length & 0x7f) | 0x80).writeByte(length >>> 7);
    }
    out.writeBytes(utf8).writeByte('\n');
  }

  /** {@code text} in quotes for an error or a log, control characters escaped, cut if long. */
  static String quote(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    int shown = Math.min(text.length(), QUOTED_CHARS);
    for (int i = 0; i < shown; i++) {
      char c = text.charAt(i);
      if (c == '\n') {
        quoted.append("\\n");
      } else if (c == '"' || c == '\\') {
        quoted.append('\\').append(c);
      } else if (c < 0x20 || c > 0x7e) {
        quoted.append("\\u%04x".formatted((int) c));
      } else {
        quoted.append(c);
      }
    }
    quoted.append('"');
    if (shown < text.length()) {
      quoted.append("… (%,d characters)".formatted(text.length()));
    }
    return quoted.toString();
  }
}
