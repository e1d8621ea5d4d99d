package io.grpcstream.libp2p.mux;

import io.netty.channel.Channel;
import io.netty.util.concurrent.Future;
import java.time.Duration;

/** The streams of one secured connection; tells a {@link MuxerListener}. Any thread. */
public interface Muxer {
  /** Begins on {@code connection}, whose handshakes are done. On its event loop, once. */
  void start(Channel connection);

  /**
   * Opens a stream. The future completes on the event loop, with a registered and active channel of
   * which nothing has been read: its listeners add the handlers, and reading starts after them.
   * Where the other side may write first, call this on the event loop: a listener that another
   * thread adds may come too late. Cancelling gives up.
   */
  Future<? extends StreamChannel> openStream();

  /** Resets inbound streams from now on, without telling the other side; those there are go on. */
  void refuseInbound();

  /** Whether anything has come from the other side. */
  boolean hasHeard();

  /** The last round trip that was measured; zero before the first. */
  Duration roundTrip();

  /** Tells the other side that nothing more will come, ends all streams and the connection. */
  Future<Void> close();
}
