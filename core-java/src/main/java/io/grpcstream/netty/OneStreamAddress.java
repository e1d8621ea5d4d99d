package io.grpcstream.netty;

import java.net.SocketAddress;

/** The only address of a one-stream channel; its text, the peer id, is the channel's authority. */
final class OneStreamAddress extends SocketAddress {
  private static final long serialVersionUID = 1L;

  private final transient StreamEnd end;

  OneStreamAddress(StreamEnd end) {
    this.end = end;
  }

  StreamEnd end() {
    return end;
  }

  @Override
  public String toString() {
    return end.stream().remotePeer().toString();
  }
}
