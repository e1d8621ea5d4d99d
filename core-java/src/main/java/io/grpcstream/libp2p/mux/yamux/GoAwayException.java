package io.grpcstream.libp2p.mux.yamux;

/** No stream can be opened because one of the two sides has announced the end of the session. */
public final class GoAwayException extends YamuxException {
  private static final long serialVersionUID = 1L;

  GoAwayException(String message) {
    super(message);
  }
}
