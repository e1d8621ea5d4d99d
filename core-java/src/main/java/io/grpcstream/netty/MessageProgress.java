package io.grpcstream.netty;

import io.netty.buffer.ByteBuf;

/**
 * How far the last message of a call has come: follows gRPC's length-prefixed messages (one byte of
 * flags, four of length, big-endian; gRPC over HTTP/2, "Length-Prefixed-Message") through the
 * call's DATA as it arrives, whatever its frames.
 */
final class MessageProgress {
  static final int PREFIX_BYTES = 5;

  private int prefix;
  private long length;
  private long missing;

  /** Takes note of {@code data}, without changing it. */
  void add(ByteBuf data) {
    int at = data.readerIndex();
    int end = data.writerIndex();
    while (at < end) {
      if (prefix == 0 && end - at >= PREFIX_BYTES) { // As a whole, as nearly always.
        length = data.getUnsignedInt(at + 1);
        missing = length;
        prefix = PREFIX_BYTES;
        at += PREFIX_BYTES;
      } else if (prefix == PREFIX_BYTES) {
        int part = (int) Math.min(missing, end - at);
        missing -= part;
        at += part;
      } else {
        int value = data.getUnsignedByte(at++);
        length = prefix == 0 ? 0 : length << 8 | value;
        prefix++;
        missing = length;
      }
      if (prefix == PREFIX_BYTES && missing == 0) {
        prefix = 0;
      }
    }
  }

  /** Bytes that have come of a message that is not complete, its prefix included; else 0. */
  long begun() {
    return prefix < PREFIX_BYTES ? prefix : PREFIX_BYTES + length - missing;
  }

  /** Bytes still to come of that message, or of its prefix where that is not complete. */
  long missing() {
    return prefix == 0 ? 0 : prefix < PREFIX_BYTES ? PREFIX_BYTES - prefix : missing;
  }
}
