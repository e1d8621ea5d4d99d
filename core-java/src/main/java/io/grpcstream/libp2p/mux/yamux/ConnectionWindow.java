package io.grpcstream.libp2p.mux.yamux;

/**
 * The cap on what all receive windows of one connection together may have above their initial
 * sizes. Every stream is owed 256 KiB by the specification, so the cap cannot be lower than the
 * growth alone; see {@link ReceiveWindow} for the whole sum. Used on the event loop only.
 */
final class ConnectionWindow {
  private final long limit;
  private long reserved;

  ConnectionWindow(long limit) {
    this.limit = limit;
  }

  /** Reserves up to {@code wanted} bytes of growth and returns how many were left to give. */
  int reserve(int wanted) {
    int granted = (int) Math.min(wanted, limit - reserved);
    reserved += granted;
    assert holds();
    return granted;
  }

  /** Gives growth back when its stream has ended. */
  void release(int bytes) {
    reserved -= bytes;
    assert holds();
  }

  private boolean holds() {
    assert reserved >= 0 && reserved <= limit : reserved + " reserved of " + limit;
    return true;
  }

  /** Bytes of growth that live streams hold now. */
  long reserved() {
    return reserved;
  }
}
