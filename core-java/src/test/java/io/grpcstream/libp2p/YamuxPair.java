package io.grpcstream.libp2p;

import static java.util.concurrent.TimeUnit.SECONDS;

import io.grpcstream.libp2p.connection.MuxedStream;
import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.crypto.PublicKey;
import io.grpcstream.libp2p.mux.MuxerListener;
import io.grpcstream.libp2p.mux.StreamChannel;
import io.grpcstream.libp2p.mux.yamux.YamuxConfig;
import io.grpcstream.libp2p.mux.yamux.YamuxSession;
import io.grpcstream.libp2p.mux.yamux.YamuxStreamChannel;
import io.grpcstream.libp2p.resources.Refusals;
import io.grpcstream.libp2p.stream.ReadGate;
import io.grpcstream.libp2p.transport.memory.MemoryTransport;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Two peers with a yamux session between them, each on an event loop of its own: streams as a host
 * makes them, without negotiation and encryption.
 */
public final class YamuxPair implements AutoCloseable {
  public static final PublicKey DIALLER_KEY = PrivateKey.generateEd25519().publicKey();
  public static final PublicKey ACCEPTOR_KEY = PrivateKey.generateEd25519().publicKey();
  public static final PeerId DIALLER = PeerId.of(DIALLER_KEY);
  public static final PeerId ACCEPTOR = PeerId.of(ACCEPTOR_KEY);
  public static final Multiaddr DIALLER_ADDRESS = Multiaddr.parse("/ip4/192.0.2.1/tcp/4001");
  public static final Multiaddr ACCEPTOR_ADDRESS = Multiaddr.parse("/ip4/192.0.2.2/tcp/4001");

  private final MultiThreadIoEventLoopGroup group =
      new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
  private final YamuxSession session;
  private final Channel connection;
  private final String protocol;

  /** Streams of {@code protocol}, served by {@code handler}. */
  public YamuxPair(String protocol, StreamHandler handler) throws InterruptedException {
    this.protocol = protocol;
    MemoryTransport transport = new MemoryTransport();
    YamuxSession accepting =
        new YamuxSession(
            false, YamuxConfig.defaults(), new Listener(channel -> serve(channel, handler)));
    Channel listener =
        transport
            .listen(group, MemoryTransport.address(0), initializer(accepting))
            .sync()
            .channel();
    session = new YamuxSession(true, YamuxConfig.defaults(), new Listener(channel -> {}));
    connection =
        transport
            .dial(
                group.next(), listener.localAddress(), initializer(session), Duration.ofSeconds(10))
            .sync()
            .channel();
  }

  private void serve(YamuxStreamChannel channel, StreamHandler handler) throws Exception {
    ReadGate held = ReadGate.inbound();
    channel.pipeline().addLast(held);
    handler.onStream(
        new MuxedStream(
            channel,
            ACCEPTOR,
            DIALLER,
            ACCEPTOR_ADDRESS,
            DIALLER_ADDRESS,
            protocol,
            false,
            new Refusals(ACCEPTOR)));
    held.handled();
  }

  /** A new stream of the dialling side, held until it is used. */
  public Stream open() {
    // All on the event loop, so that nothing is read before reads are held, as a host does it.
    CompletableFuture<YamuxStreamChannel> opened = new CompletableFuture<>();
    connection.eventLoop().execute(() -> open(opened));
    YamuxStreamChannel channel = opened.join();
    return new MuxedStream(
        channel,
        DIALLER,
        ACCEPTOR,
        DIALLER_ADDRESS,
        ACCEPTOR_ADDRESS,
        protocol,
        true,
        new Refusals(DIALLER));
  }

  private void open(CompletableFuture<YamuxStreamChannel> opened) {
    session
        .openStream()
        .addListener(
            (Future<YamuxStreamChannel> opening) -> {
              if (opening.isSuccess()) {
                opening.getNow().pipeline().addLast(ReadGate.outbound(), new FirstRead());
                opened.complete(opening.getNow());
              } else {
                opened.completeExceptionally(opening.cause());
              }
            });
  }

  @Override
  public void close() {
    group.shutdownGracefully(0, 5, SECONDS).awaitUninterruptibly();
  }

  private static ChannelInitializer<Channel> initializer(YamuxSession session) {
    return new ChannelInitializer<>() {
      @Override
      protected void initChannel(Channel channel) {
        channel.pipeline().addLast(session);
      }
    };
  }

  /** Keeps the read with which the session starts the stream, as a negotiation would. */
  private static final class FirstRead extends ChannelOutboundHandlerAdapter {
    @Override
    public void read(ChannelHandlerContext ctx) {
      ctx.pipeline().remove(this);
    }
  }

  private interface Inbound {
    void accept(YamuxStreamChannel channel) throws Exception;
  }

  private record Listener(Inbound inbound) implements MuxerListener {
    @Override
    public void onInboundStream(StreamChannel stream) {
      try {
        inbound.accept((YamuxStreamChannel) stream);
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public void onGoAway(String reason) {}

    @Override
    public void onClosed(@Nullable Throwable cause) {}
  }
}
