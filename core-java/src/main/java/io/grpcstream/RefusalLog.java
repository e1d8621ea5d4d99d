package io.grpcstream;

import io.grpcstream.libp2p.Stream;
import io.grpcstream.netty.StreamAttachment;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Warns of refused streams, at most once a second, as it is peers who cause them; those in between
 * are counted, and logged at debug level.
 */
final class RefusalLog {
  private static final Logger log = LoggerFactory.getLogger(GrpcStream.class);
  private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final AtomicLong lastWarning = new AtomicLong(System.nanoTime() - INTERVAL_NANOS);
  private final AtomicLong unmentioned = new AtomicLong();

  /** Logs that {@code stream} was refused, and why. */
  void refused(Stream stream, String reason) {
    long last = lastWarning.get();
    long now = System.nanoTime();
    if (now - last < INTERVAL_NANOS || !lastWarning.compareAndSet(last, now)) {
      unmentioned.incrementAndGet();
      log.debug("{}: {}", StreamAttachment.describe(stream), reason);
      return;
    }
    log.warn(
        "{}: {} ({} more refused since the last such line)",
        StreamAttachment.describe(stream),
        reason,
        unmentioned.getAndSet(0));
  }
}
