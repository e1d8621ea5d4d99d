package io.grpcstream.libp2p;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Told what a host does, for whoever measures it: connections and streams that come and go, dials,
 * handshakes, round trips, and how late its event loops are. Set by {@link Host.Builder#observer}.
 * What may come as often as peers like, bytes and refusals, is not told but counted, in {@link
 * Host#stats()}. A host without an observer measures none of this, and counts no bytes.
 *
 * <p>Methods are called on event loops, or by whoever starts or shuts down the host: they must be
 * quick and must not block. What they throw is logged, at a limited rate, and otherwise ignored.
 */
public interface HostObserver extends ConnectionListener {
  /** The host begins to start. It is not listening yet. Called once. */
  default void onStart(Host host) {}

  /**
   * A dial has ended: the search for a connection to one peer over all of its addresses, however
   * many callers waited for it. One that ends with its host is not told.
   *
   * @param peer the peer dialled; null if any identity would do
   * @param took from its beginning, name lookups included
   * @param failure null if a connection was made
   */
  default void onDialed(@Nullable PeerId peer, Duration took, @Nullable Throwable failure) {}

  /**
   * What makes a connection of a raw channel has ended: the proof of identities and the negotiation
   * of a muxer. One that this side has given up, as another address was quicker or the host shuts
   * down, is not told.
   *
   * @param initiator whether this side dialled
   * @param security the protocol of the handshake, such as {@code /noise}; empty if none was agreed
   * @param took from the moment at which the channel was connected
   * @param failure null if there is a connection
   */
  default void onHandshake(
      boolean initiator, String security, Duration took, @Nullable Throwable failure) {}

  /** A stream has agreed on its protocol; its handler has not seen it yet. */
  default void onStreamOpened(Connection connection, Stream stream) {}

  /** The channel of such a stream has closed. */
  default void onStreamClosed(Connection connection, Stream stream) {}

  /**
   * A round trip was measured on a connection by its muxer: once it is made, and every {@link
   * Limits#keepAliveInterval()} from then on.
   */
  default void onRoundTrip(Connection connection, Duration roundTrip) {}

  /**
   * How late a task has run on one of the event loops, which shows what holds it up. Measured once
   * a second on each.
   */
  default void onEventLoopDelay(Duration delay) {}
}
