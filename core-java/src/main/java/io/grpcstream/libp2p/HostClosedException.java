package io.grpcstream.libp2p;

/** The local host was shut down, or is shutting down; it opens and accepts nothing new. */
public final class HostClosedException extends Libp2pException {
  private static final long serialVersionUID = 1L;

  /** {@code what} could not be done, or was broken off, because {@code host} is shut down. */
  public HostClosedException(PeerId host, String what) {
    super("host " + host + " is shut down: " + what);
  }
}
