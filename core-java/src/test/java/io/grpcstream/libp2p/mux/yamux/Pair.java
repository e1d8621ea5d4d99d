package io.grpcstream.libp2p.mux.yamux;

/** Two sessions that talk to each other when a test lets them. */
final class Pair {
  final Side dialer;
  final Side listener;

  Pair() {
    this(Side.QUIET);
  }

  Pair(YamuxConfig config) {
    dialer = new Side(true, config);
    listener = new Side(false, config);
  }

  /** Carries bytes both ways until both sides are silent. */
  void settle() {
    boolean carried = true;
    while (carried) {
      carried = carry(dialer, listener);
      carried |= carry(listener, dialer);
      dialer.runTasks();
      listener.runTasks();
    }
  }

  /** Carries what one side has sent; false if that was nothing. */
  static boolean carry(Side from, Side to) {
    from.runTasks();
    byte[] bytes = from.sentBytes();
    if (bytes.length > 0 && to.connection.isOpen()) {
      to.feed(bytes);
    }
    return bytes.length > 0;
  }

  /** A stream of the dialer that the listener has accepted. */
  YamuxStreamChannel open() {
    YamuxStreamChannel stream = dialer.open();
    settle();
    return stream;
  }

  /** The listener's end of the stream that was opened last. */
  YamuxStreamChannel accepted() {
    return listener.inbound.get(listener.inbound.size() - 1);
  }

  void finish() {
    dialer.finish();
    listener.finish();
  }
}
