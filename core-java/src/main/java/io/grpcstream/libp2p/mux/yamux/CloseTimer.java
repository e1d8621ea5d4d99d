package io.grpcstream.libp2p.mux.yamux;

import io.netty.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How long the other side of a stream that ends may take: it has to make progress, by {@value
 * #MIN_PROGRESS} bytes, in each {@code closeTimeout}. What waits for the connection, not for the
 * other side's window, waits on: that the connection goes on is the affair of {@link
 * YamuxKeepAlive}. Used on the event loop only.
 */
final class CloseTimer {
  /**
   * Bytes that count as progress. Fewer would let a peer hold much for long, byte by byte; a reader
   * gives credit for more than that at a time, see {@link ReceiveWindow}.
   */
  static final int MIN_PROGRESS = 16 * 1024;

  private final YamuxSession session;
  private final YamuxStreamChannel stream;
  private @Nullable Future<?> timer;
  private long progressMark;
  private long progressNanos;

  CloseTimer(YamuxSession session, YamuxStreamChannel stream) {
    this.session = session;
    this.stream = stream;
  }

  boolean isRunning() {
    return timer != null;
  }

  /**
   * Runs {@code action} unless the other side makes progress: that gives it the same time again.
   */
  void start(Runnable action) {
    cancel();
    markProgress();
    schedule(action, session.config().closeTimeout().toNanos());
  }

  private void schedule(Runnable action, long nanos) {
    timer = stream.eventLoop().schedule(() -> passed(action), nanos, TimeUnit.NANOSECONDS);
  }

  private void passed(Runnable action) {
    timer = null;
    long passed = session.now() - progressNanos;
    long left = session.config().closeTimeout().toNanos() - passed;
    if (left > 0) {
      schedule(action, left);
    } else if (stream.output().hasDataToSend()) {
      start(action);
    } else {
      action.run();
    }
  }

  /** The other side's window has taken bytes, or it has given credit. */
  void progressed() {
    if (timer != null && stream.output().progress() - progressMark >= MIN_PROGRESS) {
      markProgress();
    }
  }

  private void markProgress() {
    progressMark = stream.output().progress();
    progressNanos = session.now();
  }

  void cancel() {
    if (timer != null) {
      timer.cancel(false);
      timer = null;
    }
  }
}
