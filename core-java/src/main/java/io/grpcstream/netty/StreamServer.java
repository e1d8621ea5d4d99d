package io.grpcstream.netty;

import io.grpc.Attributes;
import io.grpc.netty.GrpcHttp2ConnectionHandler;
import io.grpc.netty.InternalNettyServerCredentials;
import io.grpc.netty.NettyServerBuilder;
import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.util.EventLoops;
import io.netty.channel.ChannelOption;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What makes transports of streams for one {@link io.grpc.Server}: make the server from {@link
 * #builder}, start it, then hand it streams. The server has no thread and no socket; starting and
 * shutting it down never block.
 */
public final class StreamServer {
  private final NettyServerBuilder builder;
  private final RefusalLog refusals;
  private volatile PeerBudgets budgets;
  private volatile Duration stallTimeout;
  private volatile @Nullable StreamServerChannel channel;

  /**
   * A server yet to be built.
   *
   * @param address what the server shall name as the address it listens on
   * @param attributes what transports over a stream shall have among their attributes
   * @param budgets what each peer may cost
   * @param stallTimeout how long a peer may leave something half sent
   * @param refusals told of what peers may not
   */
  public StreamServer(
      SocketAddress address,
      Function<Stream, Attributes> attributes,
      PeerBudgets budgets,
      Duration stallTimeout,
      RefusalLog refusals) {
    this.budgets = budgets;
    this.stallTimeout = stallTimeout;
    this.refusals = refusals;
    builder =
        NettyServerBuilder.forAddress(
                address,
                InternalNettyServerCredentials.create(
                    new StreamNegotiator(attributes, this::guard)))
            .channelFactory(this::newChannel)
            .bossEventLoopGroup(CallerRunsEventLoop.INSTANCE)
            .workerEventLoopGroup(CallerRunsEventLoop.INSTANCE)
            .flowControlWindow(CallWindows.WINDOW)
            // Counts also what normal use brings about; our own budget does not.
            .maxRstFramesPerWindow(Integer.MAX_VALUE, 1)
            // Null takes out the options that grpc-netty sets by itself: a stream has its
            // connection's allocator, and no SO_KEEPALIVE.
            .withChildOption(ChannelOption.ALLOCATOR, null)
            .withChildOption(ChannelOption.SO_KEEPALIVE, null);
  }

  /** The builder of the one server; it makes one server only. */
  public NettyServerBuilder builder() {
    return builder;
  }

  /** Other limits than those it was made with, before it serves a stream. */
  public void limits(PeerBudgets budgets, Duration stallTimeout) {
    this.budgets = budgets;
    this.stallTimeout = stallTimeout;
  }

  private void guard(Stream stream, GrpcHttp2ConnectionHandler grpc) {
    PeerBudgets all = budgets;
    PeerBudget budget = all.open(stream.remotePeer());
    stream.channel().closeFuture().addListener(closed -> all.close(budget));
    CallGuard.install(stream, grpc, budget, refusals, stallTimeout);
  }

  private StreamServerChannel newChannel() {
    StreamServerChannel created = new StreamServerChannel();
    channel = created;
    return created;
  }

  /**
   * Serves {@code stream} from now until it ends, and turns its reading on once gRPC's handlers
   * stand. Any thread; on the stream's event loop, all is in place on return. If the server is not
   * running, the stream is reset.
   *
   * @throws IllegalStateException if the stream is served or wrapped already
   */
  public void serve(Stream stream) {
    StreamAttachment.claim(stream);
    EventLoops.run(stream.channel().eventLoop(), () -> attach(stream));
  }

  private void attach(Stream stream) {
    if (budgets.isOverdrawn(stream.remotePeer())) {
      refusals.refused(
          stream, Refusal.CALL_RESETS, "reset, as its peer has reset too many calls just now");
      stream.reset();
      return;
    }
    StreamServerChannel server = channel;
    if (server != null && server.isActive()) {
      stream
          .channel()
          .pipeline()
          .addLast(
              new FrameDeadline(stream, stallTimeout, refusals),
              new StreamEndHandler(stream, null));
      server.accept(stream.channel());
      // Unless the server was shut down just now, gRPC has put its handlers in place.
      if (stream.channel().pipeline().get(GrpcHttp2ConnectionHandler.class) != null) {
        stream.channel().config().setAutoRead(true);
        // gRPC's handler makes of it: GOAWAY, and the end of the stream after that of its calls.
        stream.hostShutdown().thenRun(() -> stream.channel().close());
        return;
      }
    }
    stream.reset();
  }
}
