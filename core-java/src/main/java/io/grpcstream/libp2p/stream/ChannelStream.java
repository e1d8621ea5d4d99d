package io.grpcstream.libp2p.stream;

import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.util.EventLoops;
import io.grpcstream.libp2p.util.StageFuture;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.DuplexChannel;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A {@link Stream} over a Netty channel, and the order in which it closes; what is particular to a
 * kind of channel is for subclasses.
 */
public abstract class ChannelStream<C extends Channel> implements Stream {
  private final C channel;
  private final PeerId localPeer;
  private final PeerId remotePeer;
  private final Multiaddr localAddress;
  private final Multiaddr remoteAddress;
  private final String protocol;
  private final boolean initiator;
  private final CompletableFuture<Void> closed = new CompletableFuture<>();
  private final AtomicBoolean closing = new AtomicBoolean();

  /** A stream between these two. */
  protected ChannelStream(
      C channel,
      PeerId localPeer,
      PeerId remotePeer,
      Multiaddr localAddress,
      Multiaddr remoteAddress,
      String protocol,
      boolean initiator) {
    this.channel = channel;
    this.localPeer = localPeer;
    this.remotePeer = remotePeer;
    this.localAddress = localAddress;
    this.remoteAddress = remoteAddress;
    this.protocol = protocol;
    this.initiator = initiator;
    channel.closeFuture().addListener(f -> closed.complete(null));
  }

  @Override
  public final C channel() {
    return channel;
  }

  @Override
  public final PeerId localPeer() {
    return localPeer;
  }

  @Override
  public final PeerId remotePeer() {
    return remotePeer;
  }

  @Override
  public final Multiaddr localAddress() {
    return localAddress;
  }

  @Override
  public final Multiaddr remoteAddress() {
    return remoteAddress;
  }

  @Override
  public final String protocol() {
    return protocol;
  }

  @Override
  public final boolean isInitiator() {
    return initiator;
  }

  @Override
  public final CompletionStage<Void> closed() {
    return StageFuture.copyOf(closed);
  }

  @Override
  public final void close() {
    if (closing.compareAndSet(false, true)) {
      EventLoops.run(channel.eventLoop(), this::closeNow);
    }
  }

  @Override
  public final void reset() {
    closing.set(true);
    EventLoops.run(channel.eventLoop(), this::resetNow);
  }

  /** Closes the channel, whose stream is no longer wanted; on the event loop. */
  protected final void closeNow() {
    if (!channel.isOpen()) {
      return; // Handlers would say farewell to nobody, and wait for an answer.
    }
    if (isToWait()) {
      return;
    }
    if (!channel.isActive()) {
      channel.close();
      return;
    }
    channel.flush();
    // From now on: the peer could withhold all that follows.
    expectEnd();
    // An empty write at the transport's end of the pipeline completes after all that went before
    // it. Handlers above may take no byte buffers (gRPC's do not), so it must not pass them.
    ChannelHandlerContext first = channel.pipeline().firstContext();
    ChannelFuture sent =
        first == null
            ? channel.writeAndFlush(Unpooled.EMPTY_BUFFER)
            : first.writeAndFlush(Unpooled.EMPTY_BUFFER);
    sent.addListener(f -> endBothDirections());
  }

  private void endBothDirections() {
    if (channel instanceof DuplexChannel duplex) {
      // Also where the user has shut the output down already: that may still be on its way.
      duplex.shutdownOutput().addListener(f -> channel.close());
    } else {
      channel.close();
    }
  }

  /** Whether it is too early to close; then {@link #closeNow} will be called again. */
  protected boolean isToWait() {
    return false;
  }

  /** Resets the stream if its peer does not go on taking what is left; on the event loop. */
  protected abstract void expectEnd();

  /** Ends the stream at once; on the event loop. */
  protected abstract void resetNow();

  @Override
  public final String toString() {
    return "stream "
        + channel.id().asShortText()
        + " "
        + protocol
        + (initiator ? " to " : " from ")
        + remotePeer
        + " at "
        + remoteAddress;
  }
}
