package io.grpcstream.libp2p.mux.yamux;

import io.grpcstream.libp2p.mux.MuxerListener;
import io.grpcstream.libp2p.util.LogRateLimit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes the other side's streams, within the limits of their number and of the ACK backlog (yamux
 * spec, "ACK backlog"). Used on the event loop only.
 */
final class StreamAcceptor {
  private static final Logger log = LoggerFactory.getLogger(StreamAcceptor.class);

  private final YamuxSession session;
  private final StreamTable streams;
  private final MuxerListener listener;
  private final int maxStreams;
  private final int ackBacklog;

  /** The peer decides how many streams there are, and so how often their handler fails. */
  private final LogRateLimit handlerFailures = new LogRateLimit();

  StreamAcceptor(YamuxSession session, StreamTable streams, MuxerListener listener) {
    this.session = session;
    this.streams = streams;
    this.listener = listener;
    maxStreams = session.config().maxInboundStreams();
    ackBacklog = session.config().ackBacklog();
  }

  /** Whether one stream more is welcome. */
  boolean accepts() {
    return session.life().acceptsInbound()
        && streams.inbound() < maxStreams
        && streams.unannouncedInbound() < ackBacklog;
  }

  /** Makes the stream, and has the listener handle it; false if that was its end. */
  boolean accept(int streamId) {
    YamuxStreamChannel stream = session.newStream(streamId, false);
    try {
      listener.onInboundStream(stream);
      stream.startReading();
    } catch (RuntimeException | LinkageError e) {
      long leftOut = handlerFailures.leftOut();
      if (leftOut < 0) {
        log.debug("yamux: the handler of inbound stream {} failed", stream, e);
      } else {
        log.warn(
            "yamux: the handler of inbound stream {} failed ({} more not logged)",
            stream,
            leftOut,
            e);
      }
      stream.reset();
    }
    return !stream.removed;
  }

  /**
   * A stream that is not {@linkplain #accepts welcome} is reset: tells of the limit, if one is why.
   */
  void refused(long streamId) {
    if (!session.life().acceptsInbound()) {
      return;
    }
    String limit =
        streams.inbound() >= maxStreams
            ? maxStreams + " inbound streams of one connection"
            : ackBacklog + " unacknowledged inbound streams of one connection";
    listener.onInboundRefused("limit of %s reached, stream %d".formatted(limit, streamId));
  }
}
