package io.grpcstream.libp2p.mux;

/**
 * The life of a stream between its two sides, as RFC 9113, section 5.1, and the yamux specification
 * name it. Each side ends its own direction, which yamux does with FIN; either can end both at any
 * time.
 *
 * <pre>
 *               endLocal                    endRemote
 *        OPEN ------------> HALF_CLOSED_LOCAL ---------> CLOSED
 *          |  ------------> HALF_CLOSED_REMOTE --------> CLOSED
 *          |    endRemote                   endLocal
 *          '--- reset, from all but CLOSED ------------> RESET
 * </pre>
 */
public enum StreamState {
  /** Both sides may send. */
  OPEN,
  /** This side has said that it sends nothing more. */
  HALF_CLOSED_LOCAL,
  /** The other side has said that it sends nothing more. */
  HALF_CLOSED_REMOTE,
  /** Both have. What has come may still have to be read. */
  CLOSED,
  /** It ends, or has ended, without all of its data: by either side, or with the connection. */
  RESET;

  /** Whether this side has said that it sends nothing more. */
  public boolean isLocalEnded() {
    return this == HALF_CLOSED_LOCAL || this == CLOSED;
  }

  /** Whether the other side has said that it sends nothing more. */
  public boolean isRemoteEnded() {
    return this == HALF_CLOSED_REMOTE || this == CLOSED;
  }

  /** Whether this side may still send, and say that it sends nothing more. */
  public boolean maySend() {
    return this == OPEN || this == HALF_CLOSED_REMOTE;
  }

  /** The end of this side, which it says once. */
  StreamState endLocal() {
    assert maySend() : "the output ended in state " + this;
    return this == OPEN ? HALF_CLOSED_LOCAL : CLOSED;
  }

  /** The end of the other side, which may say it again, and after a reset of this side. */
  StreamState endRemote() {
    return switch (this) {
      case OPEN -> HALF_CLOSED_REMOTE;
      case HALF_CLOSED_LOCAL -> CLOSED;
      case HALF_CLOSED_REMOTE, CLOSED, RESET -> this;
    };
  }

  /** The end of both directions at once; where both have ended already there is nothing to end. */
  StreamState reset() {
    return this == CLOSED ? CLOSED : RESET;
  }
}
