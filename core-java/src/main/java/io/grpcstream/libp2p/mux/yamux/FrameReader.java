package io.grpcstream.libp2p.mux.yamux;

import io.netty.buffer.ByteBuf;

/**
 * Cuts the connection's bytes into frames, whatever pieces they come in. Holds at most 12 bytes
 * itself: payload is passed on as it arrives. Used on the event loop only.
 */
final class FrameReader {
  /** Where frames go. */
  interface Sink {
    /**
     * A header whose version, type and flags are known ones; payload follows if it is a data frame
     * with a length above zero.
     *
     * @throws YamuxException if the connection must end
     */
    void onHeader(int type, int flags, int streamId, long length) throws YamuxException;

    /** The next bytes of the payload: the callee must read exactly {@code bytes} of {@code in}. */
    void onPayload(ByteBuf in, int bytes);

    /** The data frame whose header came last is complete. */
    void onDataEnd() throws YamuxException;
  }

  private final Sink sink;
  private final byte[] header = new byte[YamuxHeader.SIZE];
  private int headerBytes;
  private long payloadLeft;
  private boolean stopped;

  FrameReader(Sink sink) {
    this.sink = sink;
  }

  /** Ignores everything from now on, also the rest of a buffer that is being read. */
  void stop() {
    stopped = true;
  }

  /** Reads all of {@code in}, which stays the caller's. */
  void read(ByteBuf in) throws YamuxException {
    while (!stopped && in.isReadable()) {
      if (payloadLeft > 0) {
        int bytes = (int) Math.min(payloadLeft, in.readableBytes());
        payloadLeft -= bytes;
        sink.onPayload(in, bytes);
        if (payloadLeft == 0) {
          sink.onDataEnd();
        }
      } else {
        int bytes = Math.min(YamuxHeader.SIZE - headerBytes, in.readableBytes());
        in.readBytes(header, headerBytes, bytes);
        headerBytes += bytes;
        if (headerBytes == YamuxHeader.SIZE) {
          headerBytes = 0;
          readHeader();
        }
      }
    }
  }

  private void readHeader() throws YamuxException {
    int version = header[0] & 0xFF;
    int type = header[1] & 0xFF;
    int flags = intAt(0) & 0xFFFF;
    int streamId = intAt(4);
    long length = Integer.toUnsignedLong(intAt(YamuxHeader.LENGTH_OFFSET));
    if (version != YamuxHeader.VERSION) {
      throw new YamuxViolationException("yamux: frame of version " + version + ", only 0 is known");
    }
    if (type > YamuxHeader.GO_AWAY) {
      throw new YamuxViolationException("yamux: frame of unknown type " + type);
    }
    if ((flags & ~YamuxHeader.ALL_FLAGS) != 0) {
      throw new YamuxViolationException(
          String.format("yamux: frame with unknown flags 0x%04x", flags));
    }
    sink.onHeader(type, flags, streamId, length);
    if (type == YamuxHeader.DATA) {
      payloadLeft = length;
      if (length == 0) {
        sink.onDataEnd();
      }
    }
  }

  private int intAt(int offset) {
    return header[offset] << 24
        | (header[offset + 1] & 0xFF) << 16
        | (header[offset + 2] & 0xFF) << 8
        | (header[offset + 3] & 0xFF);
  }
}
