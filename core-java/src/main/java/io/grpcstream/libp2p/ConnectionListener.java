package io.grpcstream.libp2p;

/**
 * Hears of the connections of a host. Called on the connection's event loop, so it must not block;
 * for one connection {@code onConnected} always comes before {@code onDisconnected}, and both come
 * exactly once. What a listener throws is logged and otherwise ignored.
 */
public interface ConnectionListener {
  /** A connection is authenticated, multiplexed and ready for streams. */
  default void onConnected(Connection connection) {}

  /** A connection has ended, and with it all of its streams. */
  default void onDisconnected(Connection connection) {}

  /**
   * The host begins to {@linkplain Host#shutdown shut down}: no connection is made any more, and
   * those there are end. Called once, by whoever shuts down; a listener that comes later is told as
   * it is added.
   */
  default void onHostShutdown() {}

  /** Ends a listener's registration. */
  @FunctionalInterface
  interface Registration extends io.grpcstream.libp2p.Registration {
    /** No call that has not begun yet reaches the listener. Idempotent. */
    @Override
    void close();
  }
}
