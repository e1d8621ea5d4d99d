package io.grpcstream.libp2p.mux.yamux;

/** Why a session ends (yamux spec, "Session termination"). */
public enum GoAwayCode {
  /** Normal termination: no new streams; those that exist go on. */
  NORMAL(0),
  /** The other side broke the protocol. */
  PROTOCOL_ERROR(1),
  /** The sender of the code failed. */
  INTERNAL_ERROR(2),
  /** A code this version does not know; only ever received. */
  UNKNOWN(-1);

  private final int value;

  GoAwayCode(int value) {
    this.value = value;
  }

  /** The number on the wire. */
  int value() {
    return value;
  }

  /** The code for a number on the wire, {@link #UNKNOWN} if there is none. */
  static GoAwayCode of(long value) {
    for (GoAwayCode code : values()) {
      if (code.value == value) {
        return code;
      }
    }
    return UNKNOWN;
  }
}
