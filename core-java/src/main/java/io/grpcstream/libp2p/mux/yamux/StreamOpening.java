package io.grpcstream.libp2p.mux.yamux;

/**
 * How far a stream is opened, as the yamux specification names it. Apart from {@link
 * io.grpcstream.libp2p.mux.StreamState}: a stream may be used, and ended, before it is
 * acknowledged.
 */
enum StreamOpening {
  /** Ours; the other side has not heard of it. */
  IDLE,
  /** Ours; half open: it counts against the other side's ACK backlog. */
  SYN_SENT,
  /** Theirs; half open: it counts against our ACK backlog. */
  SYN_RECEIVED,
  /** Both sides have said that they have it. */
  ESTABLISHED;

  /** Whether the next frame has to carry SYN or ACK. */
  boolean isUnannounced() {
    return this == IDLE || this == SYN_RECEIVED;
  }

  /** The first frame of this side leaves. */
  StreamOpening announce() {
    assert isUnannounced() : "announced in state " + this;
    return this == IDLE ? SYN_SENT : ESTABLISHED;
  }

  /** A frame of the other side proves that it has the stream. */
  StreamOpening acknowledge() {
    assert this == SYN_SENT : "acknowledged in state " + this;
    return ESTABLISHED;
  }
}
