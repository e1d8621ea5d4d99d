package io.grpcstream.libp2p.mux.yamux;

/**
 * The life of a session, as this side has it. It goes forward only, see {@link SessionLife}; that
 * the other side goes away is apart from it, and ends none of this.
 *
 * <pre>
 *      refuseInbound         goAway            close
 * OPEN -------------> DRAINING ----> GOING_AWAY ---> CLOSED
 *   '--------------- goAway -----------^               ^
 *   '--------- close, from all but CLOSED -------------'
 * </pre>
 */
enum SessionState {
  /** Both sides may open streams. */
  OPEN,
  /** Inbound streams are reset; the other side was not told why. */
  DRAINING,
  /** GOAWAY was sent: neither side may open streams. */
  GOING_AWAY,
  /** It ends, or has ended, with all its streams. */
  CLOSED
}
