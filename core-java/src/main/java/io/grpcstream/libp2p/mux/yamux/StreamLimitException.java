package io.grpcstream.libp2p.mux.yamux;

/** No stream can be opened because this connection has as many as it may have. */
public final class StreamLimitException extends YamuxException {
  private static final long serialVersionUID = 1L;

  StreamLimitException(String message) {
    super(message);
  }
}
