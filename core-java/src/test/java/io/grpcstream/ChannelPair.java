package io.grpcstream;

import io.grpcstream.testing.MuxedChannel;
import io.netty.channel.Channel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;

/**
 * The two ends of a stream of another stack, connected, and still to be registered with event
 * loops.
 */
record ChannelPair(Channel opener, Channel acceptor) {
  /** As jvm-libp2p's streams over yamux are. */
  static ChannelPair muxed() {
    MuxedChannel opener = MuxedChannel.create();
    return new ChannelPair(opener, opener.peer());
  }

  /**
   * As streams of Netty's QUIC are: each a {@code DuplexChannel}, active from the start, that
   * honours {@code autoRead} and stays open when one direction ends.
   */
  static ChannelPair duplex() {
    try (ServerSocketChannel server = ServerSocketChannel.open()) {
      server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      SocketChannel opener = SocketChannel.open(server.getLocalAddress());
      return new ChannelPair(duplex(opener), duplex(server.accept()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Channel duplex(SocketChannel socket) {
    NioSocketChannel channel = new NioSocketChannel(socket);
    channel.config().setAllowHalfClosure(true).setTcpNoDelay(true);
    return channel;
  }
}
