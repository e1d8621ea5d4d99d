package io.grpcstream.libp2p.connection;

/**
 * The life of a connection. It goes forward only, and may leave out states.
 *
 * <pre>
 *      onGoAway                   drain            close, onClosed
 * OPEN --------> PEER_GOING_AWAY -------> DRAINING ---------------> CLOSED
 *   '---------------- drain ----------------^                         ^
 *   '----------- close, onClosed, from all but CLOSED ----------------'
 * </pre>
 */
enum ConnectionState {
  /** New streams may begin. */
  OPEN,
  /** The peer wants no new streams; what is open goes on. */
  PEER_GOING_AWAY,
  /** This host shuts down: neither side may begin streams, and the open ones come to their ends. */
  DRAINING,
  /** This side closes it, or it has ended: all streams end at once. */
  CLOSED
}
