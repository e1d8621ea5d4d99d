package io.grpcstream.libp2p.security.noise;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * Takes handshake messages, each behind its 2-byte length, out of the bytes as they arrive. It
 * takes exactly a message's bytes and checks a length before it makes room for it.
 */
final class HandshakeMessageReader {
  /**
   * The longest handshake message accepted. An RSA identity of 8,192 bits takes 2.2 KB; the rest is
   * for extensions to come.
   */
  static final int MAX_LENGTH = 8192;

  private int lengthHigh = -1;
  private byte @Nullable [] body;
  private int filled;

  /** The next message, or null if it has not all arrived. */
  byte @Nullable [] read(ByteBuf in) throws NoiseException {
    while (body == null) {
      if (!in.isReadable()) {
        return null;
      }
      int b = in.readUnsignedByte();
      if (lengthHigh < 0) {
        lengthHigh = b;
      } else {
        body = new byte[checkLength(lengthHigh << 8 | b)];
        lengthHigh = -1;
      }
    }
    int n = Math.min(in.readableBytes(), body.length - filled);
    in.readBytes(body, filled, n);
    filled += n;
    if (filled < body.length) {
      return null;
    }
    byte[] message = body;
    body = null;
    filled = 0;
    return message;
  }

  private static int checkLength(int length) throws NoiseException {
    if (length > MAX_LENGTH) {
      throw new NoiseException(
          "a handshake message of %,d bytes, the limit is %,d".formatted(length, MAX_LENGTH));
    }
    return length;
  }

  /** What has arrived of an unfinished message, for an error text. */
  String unfinished() {
    if (body == null) {
      return lengthHigh < 0 ? "nothing" : "half a length";
    }
    return "%,d of %,d bytes of a message".formatted(filled, body.length);
  }
}
