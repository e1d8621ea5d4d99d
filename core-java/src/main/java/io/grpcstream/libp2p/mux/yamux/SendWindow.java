package io.grpcstream.libp2p.mux.yamux;

/**
 * How many bytes a stream may still send before the other side gives more credit. Plain arithmetic;
 * used on the event loop only.
 */
final class SendWindow {
  /** The largest window the 32-bit length field of a window update can speak of. */
  private static final long MAX = 0xFFFF_FFFFL;

  private long available = YamuxConfig.INITIAL_WINDOW;

  /** Bytes that may be sent now. */
  long available() {
    return available;
  }

  /** Takes {@code bytes}, at most {@link #available()}, out of the window. */
  void consume(int bytes) {
    if (bytes > available) {
      throw new IllegalArgumentException("sent " + bytes + " bytes, send window " + available);
    }
    available -= bytes;
    assert holds();
  }

  /** Adds credit; false, and no change, if the window would pass 2^32 - 1 bytes. */
  boolean grant(long bytes) {
    if (available + bytes > MAX) {
      return false;
    }
    available += bytes;
    assert holds();
    return true;
  }

  private boolean holds() {
    assert available >= 0 && available <= MAX : "a send window of " + available;
    return true;
  }
}
