package io.grpcstream;

import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.StreamHandler;
import io.grpcstream.libp2p.crypto.PrivateKey;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.local.LocalAddress;
import io.netty.channel.local.LocalChannel;
import io.netty.channel.local.LocalIoHandler;
import io.netty.channel.local.LocalServerChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * Streams without a libp2p host: each is a Netty channel of its own, made by {@link Stream#over}.
 * What a host promises to a {@link StreamHandler}, this promises too.
 */
final class Wire implements AutoCloseable {
  static final String PROTOCOL = "/test/1.0.0";

  private static final AtomicInteger NUMBER = new AtomicInteger();

  private final MultiThreadIoEventLoopGroup group;
  private final Class<? extends ServerChannel> serverType;
  private final Class<? extends Channel> clientType;
  private final Supplier<SocketAddress> address;
  private final Queue<Stream> streams = new ConcurrentLinkedQueue<>();

  private Wire(
      IoHandlerFactory io,
      Class<? extends ServerChannel> serverType,
      Class<? extends Channel> clientType,
      Supplier<SocketAddress> address) {
    this.group = new MultiThreadIoEventLoopGroup(2, io);
    this.serverType = serverType;
    this.clientType = clientType;
    this.address = address;
  }

  /** Streams that are TCP connections over the loopback interface. */
  static Wire tcp() {
    return new Wire(
        NioIoHandler.newFactory(),
        NioServerSocketChannel.class,
        NioSocketChannel.class,
        () -> new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
  }

  /** Streams within the process. */
  static Wire local() {
    return new Wire(
        LocalIoHandler.newFactory(),
        LocalServerChannel.class,
        LocalChannel.class,
        () -> new LocalAddress("wire-" + NUMBER.incrementAndGet()));
  }

  /** A peer id that nobody else has. */
  static PeerId peer() {
    return PeerId.of(PrivateKey.generateEd25519().publicKey());
  }

  /** Opens a stream between two peers that nobody else knows. */
  Stream open(StreamHandler acceptor) {
    return open(peer(), peer(), PROTOCOL, acceptor);
  }

  /**
   * Opens a stream from {@code opener} to {@code acceptingPeer}, whose handler has been given its
   * end by the time this returns.
   */
  Stream open(PeerId opener, PeerId acceptingPeer, String protocol, StreamHandler acceptor) {
    CompletableFuture<Void> handled = new CompletableFuture<>();
    ChannelInitializer<Channel> accept =
        new ChannelInitializer<>() {
          @Override
          protected void initChannel(Channel channel) throws Exception {
            Multiaddr address = addressOf(opener);
            acceptor.onStream(
                opened(Stream.over(channel, acceptingPeer, opener, address, protocol, false)));
            handled.complete(null);
          }

          @Override
          public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            handled.completeExceptionally(cause);
            context.close();
          }
        };
    Channel server =
        new ServerBootstrap()
            .group(group)
            .channel(serverType)
            .childHandler(accept)
            .bind(address.get())
            .syncUninterruptibly()
            .channel();
    try {
      Channel client =
          new Bootstrap()
              .group(group)
              .channel(clientType)
              .option(ChannelOption.AUTO_READ, false)
              .handler(new ChannelInboundHandlerAdapter())
              .connect(server.localAddress())
              .syncUninterruptibly()
              .channel();
      handled.orTimeout(10, TimeUnit.SECONDS).join();
      return opened(
          Stream.over(client, opener, acceptingPeer, addressOf(acceptingPeer), protocol, true));
    } finally {
      server.close().syncUninterruptibly();
    }
  }

  private static Multiaddr addressOf(PeerId peer) {
    return Multiaddr.parse("/ip4/127.0.0.1/tcp/4001").withPeerId(peer);
  }

  private Stream opened(Stream stream) {
    streams.add(stream);
    return stream;
  }

  /** Ends all streams, then the event loops. */
  @Override
  public void close() {
    streams.forEach(Stream::reset);
    streams.forEach(stream -> stream.channel().closeFuture().syncUninterruptibly());
    group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
  }
}
