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
   * A stream of another Netty-based stack, such as jvm-libp2p. Whoever makes it vouches for {@code
   * remote}: it is what services will see as the caller's proven identity.
   *
   * <p>Its {@link #localAddress()} is that of the channel, or of the first of its parents that has
   * an internet address; where none has, it is {@code /p2p/<local>}. Its {@link #close()} uses
   * {@code shutdownOutput} where the channel is a {@link io.netty.channel.socket.DuplexChannel},
   * and {@code disconnect} where the channel tells that from a close.
   *
   * @param channel registered with an event loop, carrying {@code ByteBuf}s; nothing that this side
   *     has not handled may have been read from it yet
   * @param initiator whether this side opened the stream
   */
  static Stream over(
      Channel channel,
      PeerId local,
      PeerId remote,
      Multiaddr remoteAddress,
      String protocol,
      boolean initiator) {
    Multiaddr localAddress = ChannelStream.localAddressOf(channel, local);
    return new ChannelStream(
        channel, local, remote, localAddress, remoteAddress, protocol, initiator);
  }
}
