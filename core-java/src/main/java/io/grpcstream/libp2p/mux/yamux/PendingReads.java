package io.grpcstream.libp2p.mux.yamux;

import io.grpcstream.libp2p.mux.ReceiveQueue;
import java.util.ArrayList;
import java.util.List;

/**
 * The streams that got something from the connection: first those with something from the buffer
 * that is being read, then those whose reads are not complete yet. Only for the event loop.
 */
final class PendingReads {
  private final List<YamuxStreamChannel> arrived = new ArrayList<>();
  private final List<YamuxStreamChannel> reading = new ArrayList<>();

  /** The stream got payload or FIN from the buffer that is being read. */
  void note(YamuxStreamChannel stream) {
    if (!stream.arrivalNoted) {
      stream.arrivalNoted = true;
      arrived.add(stream);
    }
  }

  /**
   * Delivers what the streams' pipelines have asked to read, now that the buffer is done.
   *
   * @param pinned how many bytes of memory the buffer keeps, see {@link ReceiveQueue#pinnedBytes}
   * @return whether any stream got something
   */
  boolean deliver(int pinned) {
    if (arrived.isEmpty()) {
      return false;
    }
    // By index: over an in-memory connection a handler's flush may come back here with more.
    for (int i = 0; i < arrived.size(); i++) {
      YamuxStreamChannel stream = arrived.get(i);
      stream.arrivalNoted = false;
      stream.input().deliver();
      stream.input().settle(pinned);
      if (!stream.batchNoted) {
        stream.batchNoted = true;
        reading.add(stream);
      }
    }
    arrived.clear();
    return true;
  }

  /** The connection's read is complete, and so are those of its streams. */
  void endReads() {
    for (int i = 0; i < reading.size(); i++) {
      YamuxStreamChannel stream = reading.get(i);
      stream.batchNoted = false;
      stream.input().endBatch();
    }
    reading.clear();
  }
}
