package io.grpcstream.libp2p.mux.yamux;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;

/**
 * The 12-byte header of every yamux frame (yamux spec, "Framing"), all fields big endian: version
 * (8 bits), type (8), flags (16), stream id (32), length (32).
 */
final class YamuxHeader {
  /** Bytes in a header. */
  static final int SIZE = 12;

  /** Where the length field starts. */
  static final int LENGTH_OFFSET = 8;

  /** The only version there is. */
  static final int VERSION = 0;

  /** Payload of a stream; the length is the number of bytes that follow. */
  static final int DATA = 0;

  /** More credit for the receiver of this frame; the length is the number of bytes added. */
  static final int WINDOW_UPDATE = 1;

  /** Liveness and round-trip time; the length is an opaque value to be echoed. */
  static final int PING = 2;

  /** The end of the session; the length is a {@link GoAwayCode}. */
  static final int GO_AWAY = 3;

  /** Opens a stream, or asks for the answer to a ping. */
  static final int SYN = 1;

  /** Accepts a stream, or answers a ping. */
  static final int ACK = 2;

  /** The sender of this frame sends nothing more on the stream. */
  static final int FIN = 4;

  /** The stream is over, in both directions, at once. */
  static final int RST = 8;

  /** Every flag the specification knows. */
  static final int ALL_FLAGS = SYN | ACK | FIN | RST;

  private YamuxHeader() {}

  /** A new buffer, owned by the caller, that holds one header. */
  static ByteBuf encode(ByteBufAllocator alloc, int type, int flags, int streamId, int length) {
    return write(alloc.buffer(SIZE, SIZE), type, flags, streamId, length);
  }

  /** Appends one header to {@code out}. */
  static ByteBuf write(ByteBuf out, int type, int flags, int streamId, int length) {
    return out.writeInt(VERSION << 24 | type << 16 | flags).writeInt(streamId).writeInt(length);
  }
}
