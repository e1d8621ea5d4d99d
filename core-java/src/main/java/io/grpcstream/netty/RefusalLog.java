package io.grpcstream.netty;

import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.Stream;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Reports refused streams and calls to the host of the stream, which counts and logs them. For
 * streams of another stack, which have none, it warns itself, at most once a second, as it is peers
 * who cause these; those in between are counted, and logged at debug level. Thread-safe.
 */
public final class RefusalLog {
  private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final AtomicLong lastWarning = new AtomicLong(System.nanoTime() - INTERVAL_NANOS);
  private final AtomicLong unmentioned = new AtomicLong();

  /** Reports that {@code stream}, or something on it, was refused, and why. */
  public void refused(Stream stream, Refusal kind, String reason) {
    String text = StreamAttachment.describe(stream) + ": " + reason;
    if (stream.refused(kind, text)) {
      return;
    }
    long last = lastWarning.get();
    long now = System.nanoTime();
    if (now - last < INTERVAL_NANOS || !lastWarning.compareAndSet(last, now)) {
      unmentioned.incrementAndGet();
      UserLog.LOG.debug("refused ({}): {}", kind, text);
      return;
    }
    UserLog.LOG.warn(
        "refused ({}): {} ({} more refused since the last such line)",
        kind,
        text,
        unmentioned.getAndSet(0));
  }
}
