package io.grpcstream.libp2p;

/** An operation that needs a host that runs was asked of one that was not started yet. */
public final class HostNotStartedException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  /** For the host of that id. */
  public HostNotStartedException(PeerId host) {
    super("host " + host + " has not been started; call start() first");
  }
}
