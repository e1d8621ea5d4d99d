package io.grpcstream.libp2p;

import io.netty.channel.Channel;
import java.util.concurrent.CompletionStage;

/** One negotiated libp2p stream: a Netty channel with the identity of its two ends. */
public interface Stream {
  Channel channel();

  PeerId localPeer();

  PeerId remotePeer();

  Multiaddr localAddress();

  Multiaddr remoteAddress();

  String protocol();

  /** Whether this side opened the stream. */
  boolean isInitiator();

  /**
   * Completes, never exceptionally, once the stream is closed in both directions and its channel
   * inactive.
   */
  CompletionStage<Void> closed();

  /** Sends what was written, then ends the stream in both directions. Any thread. */
  void close();

  /** Ends the stream at once; the other side sees a reset. Any thread. */
  void reset();

  /**
   * A stream of another Netty-based stack. The channel must be registered and carry {@code
   * ByteBuf}s.
   */
  static Stream over(
      Channel channel,
      PeerId local,
      PeerId remote,
      Multiaddr remoteAddress,
      String protocol,
      boolean initiator) {
    throw new UnsupportedOperationException();
  }
}
