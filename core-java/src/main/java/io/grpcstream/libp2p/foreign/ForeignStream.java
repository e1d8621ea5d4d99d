package io.grpcstream.libp2p.foreign;

import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.mux.StreamChannel;
import io.grpcstream.libp2p.stream.ChannelStream;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.DatagramChannel;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A stream of another Netty-based stack; see {@link Stream#over}. */
public final class ForeignStream extends ChannelStream<Channel> {
  private static final Logger logger = LoggerFactory.getLogger(ForeignStream.class);

  private ForeignStream(
      Channel channel,
      PeerId localPeer,
      PeerId remotePeer,
      Multiaddr localAddress,
      Multiaddr remoteAddress,
      String protocol,
      boolean initiator) {
    super(channel, localPeer, remotePeer, localAddress, remoteAddress, protocol, initiator);
  }

  /** See {@link Stream#over}. */
  public static Stream over(
      Channel channel,
      PeerId local,
      PeerId remote,
      Multiaddr remoteAddress,
      String protocol,
      boolean initiator) {
    Multiaddr localAddress = localAddressOf(channel, local);
    String direction = initiator ? " to peer " : " from peer ";
    String name = "stream " + protocol + direction + remote + " at " + remoteAddress;
    Channel carrier = channel;
    if (ForeignStreamChannel.isNeededFor(channel)) {
      carrier = ForeignStreamChannel.on(channel, name);
    } else {
      try {
        ActivationGate.addTo(channel, name + " failed: ", true);
        DuplexStreamHandler.addTo(channel);
      } catch (RejectedExecutionException e) {
        logger.debug("{}: its event loop has ended, and the stream with it", name, e);
      }
    }
    return new ForeignStream(
        carrier, local, remote, localAddress, remoteAddress, protocol, initiator);
  }

  /** What is known of the local end of a channel that another stack made. */
  private static Multiaddr localAddressOf(Channel channel, PeerId local) {
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

  /** What is held was written before the end. */
  @Override
  protected boolean isToWait() {
    return ActivationGate.defer(channel(), this::closeNow);
  }

  @Override
  protected void expectEnd() {
    if (channel() instanceof StreamChannel stream) {
      stream.expectEnd();
      return;
    }
    DuplexStreamHandler counter = DuplexStreamHandler.of(channel());
    if (counter == null) {
      new CloseTimeout(channel(), this::onPeerReadsNothing);
    } else {
      new CloseTimeout(channel(), counter::unsentBytes, this::onPeerReadsNothing);
    }
  }

  private void onPeerReadsNothing() {
    logger.debug(
        "{}: reset, as the peer took no {} bytes within {} s of its close",
        this,
        CloseTimeout.MIN_PROGRESS,
        CloseTimeout.SECONDS);
    resetNow();
  }

  @Override
  protected void resetNow() {
    Channel channel = channel();
    if (channel instanceof StreamChannel stream) {
      stream.reset(); // Also if it is closed: what it has written may still be on its way.
      return;
    }
    if (!channel.isOpen()) {
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
}
