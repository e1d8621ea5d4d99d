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
   * Tells the host that the user of this stream has turned the peer away, so that {@link
   * Host#stats()} counts it and the log names it, no more often than for the host's own refusals.
   * It changes nothing about the stream. Any thread.
   *
   * @param message names the peer, the limit and its value
   * @return whether there is a host that has counted it: there is none for a stream of another
   *     stack, and then nothing was logged either
   */
  default boolean refused(Refusal reason, String message) {
    return false;
  }

  /**
   * A stream of another Netty-based stack, such as jvm-libp2p. Whoever makes it vouches for {@code
   * remote}: it is what services will see as the caller's proven identity.
   *
   * <p>Call it on the channel's event loop, in the callback that hands over the new stream; or on
   * any thread, if the channel reads nothing before {@code autoRead} is turned on. Bytes that were
   * read before are lost to gRPC.
   *
   * <p>Most channels are used as they are: {@link #close()} ends the output first where the channel
   * is a {@link io.netty.channel.socket.DuplexChannel}, and {@link #reset()} is a close, without
   * lingering where there is such an option.
   *
   * <p>A channel whose {@link io.netty.channel.ChannelMetadata#hasDisconnect metadata} tells {@code
   * disconnect} from {@code close}, as jvm-libp2p's do, gets another one in front of it, which is
   * then this stream's {@link #channel()}, a {@code DuplexChannel}: its reading is off until {@code
   * autoRead} is turned on, as gRPC does by itself. Reads of the channel behind it cannot be
   * paused, so that what nobody has read waits, up to 1 MiB a stream, and beyond that the stream is
   * reset with an {@code IOException} that says so. gRPC reads at once, and is bounded by its own
   * windows. {@code close()} lets the stack send what it was given, for up to 10 seconds.
   *
   * <p>The stream's {@link #localAddress()} is that of the channel, or of the first of its parents
   * that has an internet address; where none has, it is {@code /p2p/<local>}.
   *
   * @param channel registered with an event loop, carrying {@code ByteBuf}s
   * @param initiator whether this side opened the stream
   * @throws IllegalStateException if the channel is not registered, or, for jvm-libp2p's, if a
   *     stream was made of it before
   */
  static Stream over(
      Channel channel,
      PeerId local,
      PeerId remote,
      Multiaddr remoteAddress,
      String protocol,
      boolean initiator) {
    Multiaddr localAddress = ChannelStream.localAddressOf(channel, local);
    Channel carrier = channel;
    if (ForeignStreamChannel.isNeededFor(channel)) {
      String direction = initiator ? " to peer " : " from peer ";
      String name = "stream " + protocol + direction + remote + " at " + remoteAddress;
      carrier = ForeignStreamChannel.on(channel, name);
    }
    return new ChannelStream(
        carrier, local, remote, localAddress, remoteAddress, protocol, initiator);
  }
}
