package io.grpcstream.libp2p.mux.yamux;

/** One step of a random sequence. Each is possible at any time, so that any may be left out. */
sealed interface ModelStep {
  /** The two sides of a connection. */
  enum Who {
    DIALER,
    LISTENER;

    Who other() {
      return this == DIALER ? LISTENER : DIALER;
    }
  }

  /** Opens a stream. */
  record Open(Who who) implements ModelStep {}

  /** Does something to one of the ends of streams that there are, whose number wraps around. */
  record Do(int end, Act act) implements ModelStep {}

  /** As {@link Do}, but within that end's next {@code channelRead}. */
  record DoWhenRead(int end, Act act) implements ModelStep {}

  /** A turn of the side's event loop ends: its tasks run. */
  record EndTurn(Who who) implements ModelStep {}

  /** So many bytes, or what there is, arrive in one piece at the other side. */
  record Carry(Who from, int bytes) implements ModelStep {}

  /** Bytes go both ways, and turns end, until both sides are silent. */
  record Exchange() implements ModelStep {}

  /** The side's connection takes nothing, or goes on. */
  record Congest(Who who, boolean congested) implements ModelStep {}

  /** Time passes on both sides. */
  record Pass(int millis) implements ModelStep {}

  /** Sends GOAWAY. */
  record GoAway(Who who) implements ModelStep {}

  /** Ends the session. */
  record EndSession(Who who) implements ModelStep {}

  /** What a user does to a stream. */
  sealed interface Act {}

  record Write(int bytes) implements Act {}

  record Flush() implements Act {}

  record Read() implements Act {}

  record AutoRead(boolean on) implements Act {}

  record ShutdownOutput() implements Act {}

  record ExpectEnd() implements Act {}

  record Close() implements Act {}

  record Reset() implements Act {}
}
