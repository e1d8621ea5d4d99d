package io.grpcstream.libp2p.mux.yamux;

/** The peer has stopped answering or reading, so its connection was given up. */
public final class UnresponsivePeerException extends ConnectionLostException {
  private static final long serialVersionUID = 1L;

  UnresponsivePeerException(String message) {
    super(message, null);
  }
}
