package io.grpcstream.libp2p.mux;

import org.jspecify.annotations.Nullable;

/**
 * Hears about the life of a {@link Muxer}. Called on the connection's event loop; must not block.
 */
public interface MuxerListener {
  /**
   * The other side opened a stream. The channel is registered and active, and none of its data has
   * been delivered: the callee adds the handlers. Reading starts when this method returns, unless
   * it turned {@code autoRead} off. An exception thrown here resets the stream.
   */
  void onInboundStream(StreamChannel stream);

  /**
   * A stream that the other side opened was reset, because it is past a limit of the muxer.
   *
   * @param reason names the limit and the stream
   */
  default void onInboundRefused(String reason) {}

  /** A round trip to the other side was measured. */
  default void onRoundTrip(long nanos) {}

  /**
   * The other side wants no new streams. Called once for each reason, however often it comes.
   *
   * @param reason what the muxer calls it
   */
  void onGoAway(String reason);

  /**
   * It is over; called exactly once, after every stream has ended.
   *
   * @param cause null after an orderly end: a local {@link Muxer#close()}, or a connection that
   *     closed after the other side had said that it goes away
   */
  void onClosed(@Nullable Throwable cause);
}
