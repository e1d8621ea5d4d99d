package io.grpcstream.libp2p.mux.yamux;

/** A stream was ended at once, in both directions, by an RST of one of the two sides. */
public final class StreamResetException extends YamuxException {
  private static final long serialVersionUID = 1L;

  private final boolean remote;

  StreamResetException(String message, boolean remote) {
    super(message);
    this.remote = remote;
  }

  /** Whether the other side reset the stream. */
  public boolean isRemote() {
    return remote;
  }
}
