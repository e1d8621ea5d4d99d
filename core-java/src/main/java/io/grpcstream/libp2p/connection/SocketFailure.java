package io.grpcstream.libp2p.connection;

import io.grpcstream.libp2p.text.SystemErrorText;
import java.io.IOException;

/** What the operating system says of a raw channel's socket, in words for people. */
final class SocketFailure extends IOException {
  private static final long serialVersionUID = 1L;

  SocketFailure(IOException cause) {
    super(SystemErrorText.plain(String.valueOf(cause.getMessage())), cause);
  }

  /** Whether the other side has ended the connection; else it was the network, or this machine. */
  boolean isByOtherSide() {
    return SystemErrorText.isEndByOtherSide(String.valueOf(getMessage()));
  }
}
