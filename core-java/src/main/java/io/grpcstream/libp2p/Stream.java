package io.grpcstream.libp2p;

import io.grpcstream.libp2p.foreign.ForeignStream;
import io.netty.channel.Channel;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
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

  /**
   * Completes, never exceptionally, when the host that the stream belongs to begins to {@linkplain
   * Host#shutdown shut down}: whoever uses the stream should bring its work to an end and close it,
   * since the host waits for that, as long as the grace lasts. What depends on the stage runs on
   * the stream's event loop, or at once if the shutdown has begun before. gRPC does it by itself.
   * Streams of another stack never complete it.
   */
  default CompletionStage<Void> hostShutdown() {
    return new CompletableFuture<Void>().minimalCompletionStage();
  }

  /**
   * Sends what was written, then ends the stream in both directions. Any thread.
   *
   * <p>A peer may read as slowly as it likes, but has to go on: when it takes less than 16 KiB in
   * 10 seconds, what is left is given up and the stream is reset.
   */
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
   * <p>In that callback the pipeline may still hold what negotiated the stream: jvm-libp2p runs a
   * protocol's initializer before it takes its own codecs out, and fires {@code channelActive} when
   * they are gone. So what is written, by gRPC or others, waits for the channel to be the user's:
   *
   * <ul>
   *   <li>if the channel is active and its pipeline has no handlers, nothing waits: none can have
   *       kept the activation back, or change what is written;
   *   <li>if it is active and has handlers, for {@code channelActive} to pass, or for the event
   *       loop to finish what it is doing at the call (which from another thread is the task that
   *       it has at hand): that is the end of the callback, and what has not come by then has
   *       passed before. But as long as jvm-libp2p's negotiation is in the pipeline, {@code
   *       channelActive} is still to come, and is waited for: so a stream may also be made before
   *       its negotiation has ended. Of other stacks' streams, make it in the callback or later;
   *   <li>if it is not active yet, for {@code channelActive}. (For other protocols than gRPC, to
   *       which a channel that is not active is one that has ended.)
   * </ul>
   *
   * <p>The wait ends after 30 seconds: then the pipeline gets an {@code IOException} that says so,
   * and the channel is closed. What waits counts as pending in the channel, which so becomes
   * unwritable, and goes before the end if the stream is closed; a reset drops it. Bytes that come
   * with the end of a negotiation are delivered behind {@code channelActive}; if {@code autoRead}
   * is off then, once it is on.
   *
   * <p>Most channels are used as they are: {@link #close()} ends the output first where the channel
   * is a {@link io.netty.channel.socket.DuplexChannel}, and {@link #reset()} is a close, without
   * lingering where there is such an option. Where such a channel shares a connection with others,
   * as those of Netty's QUIC do, whatever closes it stops its input, too (RFC 9000, section 3.5):
   * what came for it later would keep the connection's window from the others.
   *
   * <p>A channel whose {@link io.netty.channel.ChannelMetadata#hasDisconnect metadata} tells {@code
   * disconnect} from {@code close}, as jvm-libp2p's do, gets another one in front of it, which is
   * then this stream's {@link #channel()}, a {@code DuplexChannel}: its reading is off until {@code
   * autoRead} is turned on, as gRPC does by itself. Reads of the channel behind it cannot be
   * paused, so that what nobody has read waits, up to 1 MiB a stream, and beyond that the stream is
   * reset with an {@code IOException} that says so. gRPC reads at once, and is bounded by its own
   * windows. {@code close()} lets the stack send what it was given, to a peer that goes on taking
   * it as said there.
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
    Objects.requireNonNull(channel, "the channel is null");
    Objects.requireNonNull(local, "the local peer is null");
    Objects.requireNonNull(remote, "the remote peer is null");
    Objects.requireNonNull(remoteAddress, "the remote address is null");
    Objects.requireNonNull(protocol, "the protocol is null");
    return ForeignStream.over(channel, local, remote, remoteAddress, protocol, initiator);
  }
}
