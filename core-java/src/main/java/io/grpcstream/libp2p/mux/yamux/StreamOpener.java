package io.grpcstream.libp2p.mux.yamux;

import io.netty.util.concurrent.Promise;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * Opens this side's streams: one after the other, while the other side's ACK backlog has room
 * (yamux spec, "ACK backlog"). Used on the event loop only.
 */
final class StreamOpener {
  private static final long MAX_STREAM_ID = 0xFFFF_FFFFL;

  private final YamuxSession session;
  private final StreamTable streams;
  private final Queue<Promise<YamuxStreamChannel>> waiting = new ArrayDeque<>();
  private long nextStreamId;
  private boolean opening;

  StreamOpener(YamuxSession session, StreamTable streams, long firstStreamId) {
    this.session = session;
    this.streams = streams;
    this.nextStreamId = firstStreamId;
  }

  /** Whether this id is one of ours and has been opened. */
  boolean hasOpened(long streamId) {
    return streamId % 2 == nextStreamId % 2 && streamId < nextStreamId;
  }

  /** Completes the promise with a new stream, now or when the backlog has room, or fails it. */
  void open(Promise<YamuxStreamChannel> promise) {
    waiting.removeIf(Promise::isDone);
    int limit = session.config().maxOutboundStreams();
    if (streams.outbound() + waiting.size() >= limit) {
      promise.tryFailure(
          new StreamLimitException(
              "yamux: "
                  + streams.outbound()
                  + " outbound streams open and "
                  + waiting.size()
                  + " waiting, limit "
                  + limit));
      return;
    }
    waiting.add(promise);
    openWaiting();
  }

  /** The backlog may have room again, or the session may have ended. */
  void openWaiting() {
    if (opening) {
      return;
    }
    opening = true;
    try {
      while (!waiting.isEmpty()) {
        YamuxException refused = refusal();
        if (refused != null) {
          waiting.remove().tryFailure(refused);
        } else if (streams.unacknowledgedOutbound() < session.config().ackBacklog()) {
          openNow(waiting.remove());
        } else {
          return;
        }
      }
    } finally {
      opening = false;
    }
  }

  private @Nullable YamuxException refusal() {
    YamuxException refusal = session.life().refusesOutbound();
    if (refusal == null && nextStreamId > MAX_STREAM_ID) {
      return new YamuxException("yamux: all stream ids of this connection are used up");
    }
    return refusal;
  }

  private void openNow(Promise<YamuxStreamChannel> promise) {
    if (!promise.setUncancellable()) {
      return;
    }
    YamuxStreamChannel stream = session.newStream((int) nextStreamId, true);
    nextStreamId += 2;
    promise.trySuccess(stream);
    // A task, since the promise may tell its listeners in one too: they must come first.
    stream.eventLoop().execute(stream::startReading);
  }
}
