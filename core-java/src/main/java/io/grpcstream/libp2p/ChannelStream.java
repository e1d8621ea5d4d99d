package io.grpcstream.libp2p;

import io.grpcstream.libp2p.mux.yamux.YamuxStreamChannel;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.DuplexChannel;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A {@link Stream} over a Netty channel: one of our own muxer's, or another stack's. */
final class ChannelStream implements Stream {
  private static final Logger logger = LoggerFactory.getLogger(ChannelStream.class);

  private final Channel channel;
  private final PeerId localPeer;
  private final PeerId remotePeer;
  private final Multiaddr localAddress;
  private final Multiaddr remoteAddress;
  private final String protocol;
  private final boolean initiator;
  private final @Nullable Refusals refusals;
  private final CompletableFuture<Void> closed = new CompletableFuture<>();
  private final CompletableFuture<Void> hostShutdown = new CompletableFuture<>();
  private final AtomicBoolean closing = new AtomicBoolean();

  /** A stream of another stack, without a host. */
  ChannelStream(
      Channel channel,
      PeerId localPeer,
      PeerId remotePeer,
      Multiaddr localAddress,
      Multiaddr remoteAddress,
      String protocol,
      boolean initiator) {
    this(channel, localPeer, remotePeer, localAddress, remoteAddress, protocol, initiator, null);
  }

  /**
   * A stream.
   *
   * @param refusals those of the host whose stream it is; null for another stack's
   */
  ChannelStream(
      Channel channel,
      PeerId localPeer,
      PeerId remotePeer,
      Multiaddr localAddress,
      Multiaddr remoteAddress,
      String protocol,
      boolean initiator,
      @Nullable Refusals refusals) {
    this.channel = channel;
    this.localPeer = localPeer;
    this.remotePeer = remotePeer;
    this.localAddress = localAddress;
    this.remoteAddress = remoteAddress;
    this.protocol = protocol;
    this.initiator = initiator;
    this.refusals = refusals;
    channel.closeFuture().addListener(f -> closed.complete(null));
  }

  /** What is known of the local end of a channel that another stack made. */
  static Multiaddr localAddressOf(Channel channel, PeerId local) {
    for (Channel c = channel; c != null; c = c.parent()) {
      if (c.localAddress() instanceof InetSocketAddress inet && !inet.isUnresolved()) {
        InetAddress ip = inet.getAddress();
        String family = ip instanceof Inet6Address ? "/ip6/" : "/ip4/";
        String text = ip.getHostAddress();
        int zone = text.indexOf('%');
        String plain = zone < 0 ? text : text.substring(0, zone);
        // What has streams and stands on datagrams is QUIC.
        String transport = c instanceof DatagramChannel ? "/udp/%d/quic-v1" : "/tcp/%d";
        return Multiaddr.parse(family + plain + transport.formatted(inet.getPort()));
      }
    }
    return Multiaddr.parse("/p2p/" + local);
  }

  @Override
  public Channel channel() {
    return channel;
  }

  @Override
  public PeerId localPeer() {
    return localPeer;
  }

  @Override
  public PeerId remotePeer() {
    return remotePeer;
  }

  @Override
  public Multiaddr localAddress() {
    return localAddress;
  }

  @Override
  public Multiaddr remoteAddress() {
    return remoteAddress;
  }

  @Override
  public String protocol() {
    return protocol;
  }

  @Override
  public boolean isInitiator() {
    return initiator;
  }

  @Override
  public CompletionStage<Void> closed() {
    return closed.minimalCompletionStage();
  }

  @Override
  public CompletionStage<Void> hostShutdown() {
    return hostShutdown.minimalCompletionStage();
  }

  /** The host shuts down. On the event loop. */
  void onHostShutdown() {
    hostShutdown.complete(null);
  }

  @Override
  public void close() {
    if (closing.compareAndSet(false, true)) {
      onLoop(this::closeNow);
    }
  }

  @Override
  public void reset() {
    closing.set(true);
    onLoop(this::resetNow);
  }

  @Override
  public boolean refused(Refusal reason, String message) {
    Objects.requireNonNull(reason, "the reason is null");
    Objects.requireNonNull(message, "the message is null");
    if (refusals != null) {
      refusals.add(reason, message);
    }
    return refusals != null;
  }

  private void closeNow() {
    if (!channel.isOpen()) {
      return; // Handlers would say farewell to nobody, and wait for an answer.
    }
    if (HeldUntilActive.defer(channel, this::closeNow)) {
      return; // What is held was written before the end.
    }
    if (!channel.isActive()) {
      channel.close();
      return;
    }
    channel.flush();
    // From now on: the peer could withhold all that follows.
    if (channel instanceof YamuxStreamChannel yamux) {
      yamux.expectEnd();
    } else {
      DuplexStreamHandler counter = DuplexStreamHandler.of(channel);
      if (counter == null) {
        new CloseTimeout(channel, this::onPeerReadsNothing);
      } else {
        new CloseTimeout(channel, counter::unsentBytes, this::onPeerReadsNothing);
      }
    }
    // An empty write at the transport's end of the pipeline completes after all that went before
    // it. Handlers above may take no byte buffers (gRPC's do not), so it must not pass them.
    ChannelHandlerContext first = channel.pipeline().firstContext();
    ChannelFuture sent =
        first == null
            ? channel.writeAndFlush(Unpooled.EMPTY_BUFFER)
            : first.writeAndFlush(Unpooled.EMPTY_BUFFER);
    sent.addListener(f -> endBothDirections());
  }

  private void onPeerReadsNothing() {
    logger.debug(
        "{}: reset, as the peer took no {} bytes within {} s of its close",
        this,
        CloseTimeout.MIN_PROGRESS,
        CloseTimeout.SECONDS);
    resetNow();
  }

  private void endBothDirections() {
    if (channel instanceof DuplexChannel duplex) {
      // Also where the user has shut the output down already: that may still be on its way.
      duplex.shutdownOutput().addListener(f -> channel.close());
    } else {
      channel.close();
    }
  }

  private void resetNow() {
    if (channel instanceof ForeignStreamChannel foreign) {
      foreign.reset(); // Also if it is closed: the channel below may still be open.
      return;
    }
    if (!channel.isOpen()) {
      return;
    }
    if (channel instanceof YamuxStreamChannel yamux) {
      yamux.reset();
      return;
    }
    if (channel.config().getOptions().containsKey(ChannelOption.SO_LINGER)) {
      channel.config().setOption(ChannelOption.SO_LINGER, 0);
    }
    if (DuplexStreamHandler.of(channel) != null) {
      DuplexStreamHandler.stopInput(channel);
    }
    // Handlers may answer close with a farewell; a reset has none.
    ChannelHandlerContext first = channel.pipeline().firstContext();
    if (first == null) {
      channel.close();
    } else {
      first.close();
    }
  }

  private void onLoop(Runnable task) {
    EventLoop loop = channel.eventLoop();
    if (loop.inEventLoop()) {
      task.run();
      return;
    }
    try {
      loop.execute(task);
    } catch (RejectedExecutionException e) {
      logger.debug("{}: its event loop has ended, and the stream with it", this, e);
    }
  }

  @Override
  public String toString() {
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
