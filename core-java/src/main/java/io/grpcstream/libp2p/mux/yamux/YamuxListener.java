package io.grpcstream.libp2p.mux.yamux;

import org.jspecify.annotations.Nullable;

/** Hears about the life of a session. Called on the connection's event loop; must not block. */
public interface YamuxListener {
  /**
   * The other side opened a stream. The channel is registered and active, and none of its data has
   * been delivered: the callee adds the handlers. Reading starts when this method returns, unless
   * it turned {@code autoRead} off. An exception thrown here resets the stream.
   */
  void onInboundStream(YamuxStreamChannel stream);

  /**
   * A stream that the other side opened was reset, because it is past a limit of the session.
   *
   * @param reason names the limit and the stream
   */
  default void onInboundRefused(String reason) {}

  /**
   * The other side wants no new streams; with another code than NORMAL it is about to close. Called
   * once for each code, however often it comes.
   */
  void onGoAway(GoAwayCode code);

  /**
   * The session is over; called exactly once, after every stream has ended.
   *
   * @param cause null after an orderly end: a local {@link YamuxSession#close()}, or a connection
   *     that closed after a GOAWAY with {@link GoAwayCode#NORMAL}
   */
  void onClosed(@Nullable Throwable cause);
}
