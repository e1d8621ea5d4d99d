package io.grpcstream.libp2p;

/**
 * The peer at a dialled address proved another identity than the one that was dialled. The
 * connection was closed inside the handshake: nothing of the caller's was sent.
 */
public final class PeerIdMismatchException extends Libp2pException {
  private static final long serialVersionUID = 1L;

  private final transient PeerId expected;
  private final transient PeerId actual;

  /** {@code actual} answered at {@code address} where {@code expected} was dialled. */
  public PeerIdMismatchException(PeerId expected, PeerId actual, Multiaddr address) {
    super("peer id mismatch: dialled " + expected + " at " + address + ", which proved " + actual);
    this.expected = expected;
    this.actual = actual;
  }

  /** The peer id that was dialled. */
  public PeerId expected() {
    return expected;
  }

  /** The peer id that the handshake proved. */
  public PeerId actual() {
    return actual;
  }
}
