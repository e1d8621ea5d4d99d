package io.grpcstream.netty;

import io.grpc.Attributes;
import io.grpc.netty.GrpcHttp2ConnectionHandler;
import io.grpc.netty.InternalNettyChannelCredentials;
import io.grpc.netty.InternalProtocolNegotiator;
import io.grpc.netty.NettyChannelBuilder;
import io.grpcstream.libp2p.Stream;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.handler.codec.http2.Http2FrameListener;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Function;

/** What makes transports of streams for one {@link io.grpc.ManagedChannel}. */
final class StreamClient {
  private final Function<Stream, Attributes> attributes;
  private final RefusalLog refusals;
  private volatile PeerBudgets budgets;
  private volatile Duration stallTimeout;

  /**
   * One for a channel yet to be built.
   *
   * @param attributes what the transport over a stream shall have among its attributes
   * @param budgets what each peer that is called may cost
   * @param stallTimeout how long a peer may hold with a message what other peers wait for
   * @param refusals told of what peers may not
   */
  StreamClient(
      Function<Stream, Attributes> attributes,
      PeerBudgets budgets,
      Duration stallTimeout,
      RefusalLog refusals) {
    this.attributes = attributes;
    this.budgets = budgets;
    this.stallTimeout = stallTimeout;
    this.refusals = refusals;
  }

  /** Other limits than those it was made with, before there is a transport. */
  void limits(PeerBudgets budgets, Duration stallTimeout) {
    this.budgets = budgets;
    this.stallTimeout = stallTimeout;
  }

  /**
   * The builder of grpc-netty's part.
   *
   * @param streams gives a transport that starts the channel of its stream, see {@link #attach}
   * @param loops gives it that stream's event loop
   */
  NettyChannelBuilder builder(
      SocketAddress address, ChannelFactory<Channel> streams, EventLoopGroup loops) {
    InternalProtocolNegotiator.ProtocolNegotiator negotiator =
        new StreamNegotiator(attributes, this::guard);
    return NettyChannelBuilder.forAddress(
            address, InternalNettyChannelCredentials.create(new NegotiatorFactory(negotiator)))
        .channelFactory(streams)
        .eventLoopGroup(loops)
        .flowControlWindow(CallWindows.WINDOW)
        // Null takes out the options that grpc-netty sets by itself: a stream has its
        // connection's allocator, and no SO_KEEPALIVE.
        .withOption(ChannelOption.ALLOCATOR, null)
        .withOption(ChannelOption.SO_KEEPALIVE, null);
  }

  /** The channel of a stream that is to carry a transport. */
  static Channel attach(StreamEnd end) {
    Stream stream = end.stream();
    stream.channel().pipeline().addLast(new StreamEndHandler(stream, end));
    return stream.channel();
  }

  /** What a server sends is limited as what clients do. */
  private void guard(Stream stream, GrpcHttp2ConnectionHandler grpc) {
    PeerBudgets all = budgets;
    PeerBudget budget = all.open(stream.remotePeer());
    stream.channel().closeFuture().addListener(closed -> all.close(budget));
    CallGuard.install(stream, grpc, budget, refusals, stallTimeout);
    StreamCalls calls =
        Objects.requireNonNull(StreamCalls.of(stream.channel()), "a client's stream has its calls");
    Http2FrameListener guarded = grpc.decoder().frameListener();
    grpc.decoder().frameListener(new GoAwayReader(calls.end(), guarded));
  }

  private record NegotiatorFactory(InternalProtocolNegotiator.ProtocolNegotiator negotiator)
      implements InternalProtocolNegotiator.ClientFactory {
    @Override
    public InternalProtocolNegotiator.ProtocolNegotiator newNegotiator() {
      return negotiator;
    }

    @Override
    public int getDefaultPort() {
      return 0;
    }
  }
}
