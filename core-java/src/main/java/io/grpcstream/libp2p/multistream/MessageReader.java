package io.grpcstream.libp2p.multistream;

import static io.grpcstream.libp2p.multistream.MultistreamMessage.MAX_LENGTH;
import static io.grpcstream.libp2p.multistream.MultistreamMessage.quote;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Takes messages out of the bytes as they arrive. It takes exactly the bytes of a message and keeps
 * those of an unfinished one itself, so whatever follows the last message of a negotiation is still
 * in the caller's buffer. A length is checked before room is made for it.
 */
final class MessageReader {
  private static final byte[] NONE = {};

  /** The first length byte, if it said that another follows; else -1. */
  private int lengthLow = -1;

  private byte[] body = NONE;
  private int filled;

  /** The text of the next message, without its newline, or null if it has not all arrived. */
  @Nullable String read(ByteBuf in) throws MultistreamException {
    if (body.length == 0 && !readLength(in)) {
      return null;
    }
    int n = Math.min(in.readableBytes(), body.length - filled);
    in.readBytes(body, filled, n);
    filled += n;
    if (filled < body.length) {
      return null;
    }
    byte[] message = body;
    body = NONE;
    filled = 0;
    return text(message);
  }

  /** What has arrived of an unfinished message, for an error text. */
  String unfinished() {
    if (body.length == 0) {
      return lengthLow < 0 ? "nothing" : "half a length";
    }
    return "%,d of %,d bytes of a message".formatted(filled, body.length);
  }

  private boolean readLength(ByteBuf in) throws MultistreamException {
    while (in.isReadable()) {
      int b = in.readUnsignedByte();
      boolean last = b < 0x80;
      int length;
      if (lengthLow < 0) {
        if (!last) {
          lengthLow = b & 0x7f;
          continue;
        }
        length = b;
      } else if (!last) {
        throw new MultistreamException("the message length takes more than 2 bytes" + limit());
      } else if (b == 0) {
        throw new MultistreamException("the message length is not minimally encoded");
      } else {
        length = b << 7 | lengthLow;
      }
      if (length == 0) {
        throw new MultistreamException("a message of zero length");
      }
      if (length > MAX_LENGTH) {
        throw new MultistreamException("a message of %,d bytes".formatted(length) + limit());
      }
      lengthLow = -1;
      body = new byte[length];
      return true;
    }
    return false;
  }

  private static String limit() {
    return ", the limit is %,d".formatted(MAX_LENGTH);
  }

  private static String text(byte[] message) throws MultistreamException {
    int length = message.length - 1;
    if (message[length] != '\n') {
      throw new MultistreamException(
          "a message does not end in a newline: "
              + quote(new String(message, StandardCharsets.ISO_8859_1)));
    }
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(message, 0, length))
          .toString();
    } catch (CharacterCodingException e) {
      throw new MultistreamException(
          "a message is not UTF-8: "
              + quote(new String(message, 0, length, StandardCharsets.ISO_8859_1)),
          e);
    }
  }
}
