package io.grpcstream.libp2p.mux.yamux;

import io.grpcstream.libp2p.mux.ReceiveQueue;
import java.util.concurrent.TimeUnit;

/**
 * The receive window of one stream: what the other side may still send, what waits for the reader,
 * and when to give credit back. Plain arithmetic; used on the event loop only.
 *
 * <p>At every moment {@code size = credit + buffered + owed}: bytes the other side may send, bytes
 * that arrived and were not read, and bytes that were read and not yet announced. Credit is owed
 * from the moment a byte is <em>read</em>, never on arrival, so a reader that stops stops the
 * sender. An update is due when half the window is owed, or 1 MiB: what is owed is as good as not
 * in the window, so the less that is, the more of a large window a sender far away can use; and an
 * update costs 12 bytes. A slow reader's update comes earlier, with 16 KiB after two seconds, since
 * a sender that is closing waits for nothing else to tell it from one that does not read.
 *
 * <p>The window doubles when half of it was announced within four round trips, which means that the
 * sender uses up its window faster than credit can travel. Without a measured round trip it never
 * grows.
 *
 * <h2>What an attacker can make us hold</h2>
 *
 * A byte is accepted only within {@code credit}, so a stream buffers at most {@code size} bytes. A
 * window grows only while its reader reads, by at most the bytes read; an attacker pays for every
 * byte of growth with a byte sent and consumed. All streams of a connection together buffer at most
 *
 * <pre>  streams x 262,144  +  maxConnectionWindow</pre>
 *
 * bytes: with the default limits of 256 inbound and 512 outbound streams and 64 MiB of growth, 256
 * MiB, and 2.25 times that in memory at the very worst (see {@link ReceiveQueue}). Streams that the
 * peer did not open count only while this side keeps them open.
 */
final class ReceiveWindow {
  /** Bytes that are worth a frame, however large the window is. */
  static final int MAX_OWED = 1024 * 1024;

  /** From a slow reader so many are worth a frame, after a while: they show that it goes on. */
  static final int SLOW_OWED = 16 * 1024;

  private static final long SLOW_NANOS = TimeUnit.SECONDS.toNanos(2);

  private final int maxSize;
  private final ConnectionWindow connection;
  private int size = YamuxConfig.INITIAL_WINDOW;
  private int credit = YamuxConfig.INITIAL_WINDOW;
  private int buffered;

  /** Bytes announced since {@link #measuredSinceNanos}, when half a window had last been. */
  private long announced;

  private long measuredSinceNanos;
  private long updatedNanos;
  private boolean closed;

  ReceiveWindow(int maxSize, ConnectionWindow connection, long nowNanos) {
    this.maxSize = maxSize;
    this.connection = connection;
    this.measuredSinceNanos = nowNanos;
    this.updatedNanos = nowNanos;
  }

  /** The window's size now, between 256 KiB and the configured maximum. */
  int size() {
    return size;
  }

  /** Bytes the other side may still send. */
  int credit() {
    return credit;
  }

  /** Bytes that arrived and were not yet read. */
  int buffered() {
    return buffered;
  }

  /** {@code bytes}, within {@link #credit()}, have arrived. */
  void received(int bytes) {
    credit -= bytes;
    buffered += bytes;
    assert holds();
  }

  /** {@code bytes} of what was buffered have been read. */
  void delivered(int bytes) {
    buffered -= bytes;
    assert holds();
  }

  /**
   * The credit to announce now, zero if too little is owed to be worth a frame. May grow the
   * window.
   *
   * @param roundTripNanos the measured round trip, zero if there is none yet
   */
  int update(long nowNanos, long roundTripNanos) {
    assert !closed : "an update of a stream that has ended";
    int owed = size - credit - buffered;
    if (owed < Math.min(size / 2, MAX_OWED) && !isSlow(owed, nowNanos)) {
      return 0;
    }
    updatedNanos = nowNanos;
    announced += owed;
    if (announced >= size / 2) {
      boolean fast = nowNanos - measuredSinceNanos < 4 * roundTripNanos;
      announced = 0;
      measuredSinceNanos = nowNanos;
      owed += fast ? grow() : 0;
    }
    return announce(owed);
  }

  /**
   * The credit to announce now to a sender that has ended and needs none: it tells that somebody
   * still reads, so that the sender's patience does not end before the data.
   */
  int updateAfterEnd(long nowNanos) {
    int owed = size - credit - buffered;
    if (!isSlow(owed, nowNanos)) {
      return 0;
    }
    updatedNanos = nowNanos;
    return announce(owed);
  }

  private int announce(int owed) {
    credit += owed;
    assert holds() && credit + buffered == size : this + ": all that is owed was announced";
    return owed;
  }

  private boolean isSlow(int owed, long nowNanos) {
    return owed >= SLOW_OWED && nowNanos - updatedNanos >= SLOW_NANOS;
  }

  private int grow() {
    int growth = connection.reserve(Math.min(size, maxSize - size));
    size += growth;
    return growth;
  }

  /** The stream is over: its growth goes back to the connection. Once. */
  void close() {
    assert !closed : "closed twice";
    closed = true;
    connection.release(size - YamuxConfig.INITIAL_WINDOW);
  }

  /** Checked after each change, where assertions are on: the sums of the class comment. */
  private boolean holds() {
    assert credit >= 0 : this + ": the other side sent past its credit";
    assert buffered >= 0 : this + ": more was read than had arrived";
    assert credit + buffered <= size : this + ": less than nothing is owed";
    assert size >= YamuxConfig.INITIAL_WINDOW && size <= maxSize : this + ", at most " + maxSize;
    assert closed || size - YamuxConfig.INITIAL_WINDOW <= connection.reserved()
        : this + ": its growth is not in the connection's " + connection.reserved();
    return true;
  }

  @Override
  public String toString() {
    return "window of %,d: credit %,d, buffered %,d".formatted(size, credit, buffered);
  }
}
