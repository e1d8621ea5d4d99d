package io.grpcstream;

import static java.util.concurrent.CompletableFuture.completedFuture;

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
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Streams without a libp2p host: each is a Netty channel of its own, made by {@link Stream#over}.
 * What a host promises to a {@link StreamHandler}, this promises too.
 */
final class Wire implements AutoCloseable {
  static final String PROTOCOL = "/test/1.0.0";

  private static final AtomicInteger NUMBER = new AtomicInteger();

  private final MultiThreadIoEventLoopGroup group;
  private final @Nullable Sockets sockets;
  private final @Nullable Supplier<ChannelPair> pairs;
  private final Queue<Stream> streams = new ConcurrentLinkedQueue<>();

  private Wire(
      IoHandlerFactory io, @Nullable Sockets sockets, @Nullable Supplier<ChannelPair> pairs) {
    this.group = new MultiThreadIoEventLoopGroup(2, io);
    this.sockets = sockets;
    this.pairs = pairs;
  }

  private record Sockets(
      Class<? extends ServerChannel> serverType,
      Class<? extends Channel> clientType,
      Supplier<SocketAddress> address) {}

  /** Streams that are TCP connections over the loopback interface. */
  static Wire tcp() {
    return new Wire(
        NioIoHandler.newFactory(),
        new Sockets(
            NioServerSocketChannel.class,
            NioSocketChannel.class,
            () -> new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)),
        null);
  }

  /** Streams within the process. */
  static Wire local() {
    return new Wire(
        LocalIoHandler.newFactory(),
        new Sockets(
            LocalServerChannel.class,
            LocalChannel.class,
            () -> new LocalAddress("wire-" + NUMBER.incrementAndGet())),
        null);
  }

  /** Streams that behave as those of jvm-libp2p over yamux, and are negotiated as those are. */
  static Wire muxed() {
    return new Wire(LocalIoHandler.newFactory(), null, ChannelPair::muxed);
  }

  /** Streams that behave as those of jvm-libp2p over QUIC, and are negotiated as those are. */
  static Wire quicLike() {
    return new Wire(NioIoHandler.newFactory(), null, ChannelPair::duplex);
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
    StreamMaker accept =
        c -> Stream.over(c, acceptingPeer, opener, addressOf(opener), protocol, false);
    StreamMaker dial =
        c -> Stream.over(c, opener, acceptingPeer, addressOf(acceptingPeer), protocol, true);
    StreamHandler noting = stream -> acceptor.onStream(opened(stream));
    if (sockets != null) {
      return opened(sockets(sockets, accept, dial, noting));
    }
    return opened(negotiated(Objects.requireNonNull(pairs).get(), protocol, accept, dial, noting));
  }

  private interface StreamMaker {
    Stream over(Channel channel);
  }

  private Stream negotiated(
      ChannelPair pair,
      String protocol,
      StreamMaker accept,
      StreamMaker dial,
      StreamHandler acceptor) {
    CompletableFuture<Stream> dialled =
        Negotiated.register(
            group.next(), pair.opener(), protocol, true, c -> completedFuture(quiet(dial, c)));
    CompletableFuture<Stream> accepted =
        Negotiated.register(
            group.next(),
            pair.acceptor(),
            protocol,
            false,
            channel -> {
              Stream stream = accept.over(channel);
              acceptor.onStream(stream);
              return completedFuture(stream);
            });
    accepted.orTimeout(10, TimeUnit.SECONDS).join();
    return dialled.orTimeout(10, TimeUnit.SECONDS).join();
  }

  /** A stream that reads nothing before it is used, as it is handed to another thread. */
  private static Stream quiet(StreamMaker maker, Channel channel) {
    Stream stream = maker.over(channel);
    stream.channel().config().setAutoRead(false);
    return stream;
  }

  private Stream sockets(
      Sockets kind, StreamMaker accept, StreamMaker dial, StreamHandler acceptor) {
    CompletableFuture<Void> handled = new CompletableFuture<>();
    ChannelInitializer<Channel> initializer =
        new ChannelInitializer<>() {
          @Override
          protected void initChannel(Channel channel) throws Exception {
            acceptor.onStream(accept.over(channel));
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
            .channel(kind.serverType)
            .childHandler(initializer)
            .bind(kind.address.get())
            .syncUninterruptibly()
            .channel();
    try {
      Channel client =
          new Bootstrap()
              .group(group)
              .channel(kind.clientType)
              .option(ChannelOption.AUTO_READ, false)
              .handler(new ChannelInboundHandlerAdapter())
              .connect(server.localAddress())
              .syncUninterruptibly()
              .channel();
      handled.orTimeout(10, TimeUnit.SECONDS).join();
      return dial.over(client);
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
