package io.grpcstream.libp2p.mux.yamux;

import io.grpcstream.libp2p.util.ForwardState;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How far a session has come, by what this side does and what the other side has said, and what
 * follows: whether streams may be opened, and what the end of the connection means. Used on the
 * event loop only, but for {@link #refuseInbound()}.
 */
final class SessionLife {
  private final ForwardState<SessionState> state = new ForwardState<>(SessionState.OPEN);
  private final Set<GoAwayCode> received = EnumSet.noneOf(GoAwayCode.class);

  /** The code that was the last to be new. */
  private @Nullable GoAwayCode lastReceived;

  /** Takes no inbound streams any more. Any thread. */
  void refuseInbound() {
    state.advance(SessionState.DRAINING);
  }

  /** This side sends GOAWAY, which it may do again. */
  void goAway() {
    state.advance(SessionState.GOING_AWAY);
  }

  /** The session ends; false if it did before. */
  boolean close() {
    return state.advance(SessionState.CLOSED);
  }

  /** The other side has sent GOAWAY; false if it has said the same before. */
  boolean receiveGoAway(GoAwayCode code) {
    boolean first = received.add(code);
    if (first) {
      lastReceived = code;
    }
    return first;
  }

  boolean isClosed() {
    return state.get() == SessionState.CLOSED;
  }

  /** Whether inbound streams are welcome at all. */
  boolean acceptsInbound() {
    return state.get() == SessionState.OPEN;
  }

  /** Why this side may open no stream; null if it may. */
  @Nullable YamuxException refusesOutbound() {
    if (isClosed()) {
      return isOver();
    }
    if (lastReceived != null) {
      return new GoAwayException("yamux: the other side sent GOAWAY " + lastReceived);
    }
    return state.get() == SessionState.GOING_AWAY
        ? new GoAwayException("yamux: GOAWAY was sent")
        : null;
  }

  /** The failure of what is asked of a session that is closed. */
  static ConnectionLostException isOver() {
    return new ConnectionLostException("yamux: the session is over", null);
  }

  /** What it means that the other side has closed the connection; null if it is in order. */
  @Nullable ConnectionLostException connectionClosed() {
    if (state.get() == SessionState.GOING_AWAY || lastReceived == GoAwayCode.NORMAL) {
      return null;
    }
    String why = "yamux: the other side closed the connection";
    return new ConnectionLostException(
        lastReceived == null ? why : why + " after GOAWAY " + lastReceived, null);
  }
}
