package io.grpcstream.netty;

import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.util.LogRateLimit;

/**
 * Reports refused streams and calls to the host of the stream, which counts and logs them. For
 * streams of another stack, which have none, it warns itself, at most once a second, as it is peers
 * who cause these; those in between are counted, and logged at debug level. Thread-safe.
 */
public final class RefusalLog {
  private final LogRateLimit lines = new LogRateLimit();

  /** Reports that {@code stream}, or something on it, was refused, and why. */
  public void refused(Stream stream, Refusal kind, String reason) {
    String text = StreamAttachment.describe(stream) + ": " + reason;
    if (stream.refused(kind, text)) {
      return;
    }
    long leftOut = lines.leftOut();
    if (leftOut < 0) {
      UserLog.LOG.debug("refused ({}): {}", kind, text);
      return;
    }
    UserLog.LOG.warn(
        "refused ({}): {} ({} more refused since the last such line)", kind, text, leftOut);
  }
}
