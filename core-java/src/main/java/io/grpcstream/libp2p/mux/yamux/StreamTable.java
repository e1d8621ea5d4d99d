package io.grpcstream.libp2p.mux.yamux;

import io.netty.util.collection.IntObjectHashMap;
import io.netty.util.collection.IntObjectMap;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The streams of a session and what is counted about them. A stream stays here until both sides
 * have finished it or one has reset it, also when its channel is closed. Used on the event loop
 * only, but for the two counts.
 */
final class StreamTable {
  private final IntObjectMap<YamuxStreamChannel> streams = new IntObjectHashMap<>();
  private volatile int inbound;
  private volatile int outbound;
  private int unannouncedInbound;
  private int unacknowledgedOutbound;
  private long creditOfEndedStreams;

  @Nullable YamuxStreamChannel get(int streamId) {
    return streams.get(streamId);
  }

  List<YamuxStreamChannel> all() {
    return new ArrayList<>(streams.values());
  }

  @SuppressWarnings("NonAtomicOperationOnVolatileField") // Written on the event loop only.
  void add(int streamId, YamuxStreamChannel stream) {
    streams.put(streamId, stream);
    if (stream.isInitiator()) {
      outbound++;
      unacknowledgedOutbound++;
    } else {
      inbound++;
      unannouncedInbound++;
    }
  }

  /** Forgets a stream; what it could still have been sent may still be on its way. */
  @SuppressWarnings("NonAtomicOperationOnVolatileField") // Written on the event loop only.
  void remove(int streamId, YamuxStreamChannel stream) {
    streams.remove(streamId);
    creditOfEndedStreams += stream.input().window().credit();
    StreamOpening opening = stream.output().opening();
    if (stream.isInitiator()) {
      outbound--;
      unacknowledgedOutbound -= opening == StreamOpening.ESTABLISHED ? 0 : 1;
    } else {
      inbound--;
      unannouncedInbound -= opening.isUnannounced() ? 1 : 0;
    }
  }

  /** The first frame of an inbound stream, with its ACK, goes out. */
  void inboundAnnounced() {
    unannouncedInbound--;
  }

  /** The other side has acknowledged one of our streams. */
  void outboundAcknowledged() {
    unacknowledgedOutbound--;
  }

  /** A stream that was refused could have been sent its initial window. */
  void refused() {
    creditOfEndedStreams += YamuxConfig.INITIAL_WINDOW;
  }

  /**
   * Data for streams that have ended can be on its way, but no more of it than the windows they had
   * left: false if there is more.
   */
  boolean takeCreditOfEndedStreams(long bytes) {
    creditOfEndedStreams -= bytes;
    return creditOfEndedStreams >= 0;
  }

  /** Streams the other side opened. Any thread. */
  int inbound() {
    return inbound;
  }

  /** Streams we opened. Any thread. */
  int outbound() {
    return outbound;
  }

  /** Inbound streams whose ACK has not gone out. */
  int unannouncedInbound() {
    return unannouncedInbound;
  }

  /** Outbound streams whose ACK has not come. */
  int unacknowledgedOutbound() {
    return unacknowledgedOutbound;
  }
}
