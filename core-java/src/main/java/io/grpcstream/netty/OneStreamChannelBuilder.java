package io.grpcstream.netty;

import io.grpc.Attributes;
import io.grpc.ForwardingChannelBuilder2;
import io.grpc.ManagedChannelBuilder;
import io.grpc.netty.InternalNettyChannelCredentials;
import io.grpc.netty.InternalProtocolNegotiator;
import io.grpc.netty.NettyChannelBuilder;
import io.grpcstream.libp2p.Stream;
import io.netty.channel.ChannelOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Builds the channel over one stream. All of gRPC's options are passed on, except those that decide
 * how to connect: there is but one stream to use, and no connecting.
 */
public final class OneStreamChannelBuilder
    extends ForwardingChannelBuilder2<OneStreamChannelBuilder> {
  private final StreamEnd end;
  private final AtomicBoolean attached = new AtomicBoolean();
  private final NettyChannelBuilder netty;

  /**
   * A builder for the channel over {@code stream}.
   *
   * @param attributes what the transport over the stream shall have among its attributes
   */
  public OneStreamChannelBuilder(Stream stream, Function<Stream, Attributes> attributes) {
    end = new StreamEnd(stream);
    InternalProtocolNegotiator.ProtocolNegotiator negotiator = new StreamNegotiator(attributes);
    netty =
        NettyChannelBuilder.forAddress(
                new OneStreamAddress(end),
                InternalNettyChannelCredentials.create(new NegotiatorFactory(negotiator)))
            .channelFactory(this::attach)
            .eventLoopGroup(new StreamEventLoop(stream.channel().eventLoop()))
            // Null takes out the options that grpc-netty sets by itself: a stream has its
            // connection's allocator, and no SO_KEEPALIVE.
            .withOption(ChannelOption.ALLOCATOR, null)
            .withOption(ChannelOption.SO_KEEPALIVE, null);
    OneStreamBalancer.register();
    // For a channel that is given its address, this is the way to choose the load balancer.
    defaultServiceConfig(null);
  }

  /**
   * Once, that is. The load balancer never connects a second time, but a call that has been given
   * to the transport just before that failed makes gRPC do so: two HTTP/2 connections on one stream
   * would garble each other.
   */
  private io.netty.channel.Channel attach() {
    Stream stream = end.stream();
    if (!attached.compareAndSet(false, true)) {
      throw end.record("its HTTP/2 connection is over", null).asRuntimeException();
    }
    stream.channel().pipeline().addLast(new StreamEndHandler(stream, end));
    return stream.channel();
  }

  @Override
  protected ManagedChannelBuilder<?> delegate() {
    return netty;
  }

  /** Does nothing, as there is no choice: HTTP/2 goes over the encrypted libp2p connection. */
  @Override
  public OneStreamChannelBuilder usePlaintext() {
    return this;
  }

  /** Does nothing: an idle channel must not drop a stream that it cannot get back. */
  @Override
  public OneStreamChannelBuilder idleTimeout(long value, TimeUnit unit) {
    return this;
  }

  /** Does nothing: there is one stream to balance over. */
  @Override
  public OneStreamChannelBuilder defaultLoadBalancingPolicy(String policy) {
    return this;
  }

  /** Sets the default service config, apart from its choice of a load balancer. */
  @Override
  public OneStreamChannelBuilder defaultServiceConfig(@Nullable Map<String, ?> serviceConfig) {
    Map<String, Object> config = new HashMap<>();
    if (serviceConfig != null) {
      config.putAll(serviceConfig);
    }
    config.remove("loadBalancingPolicy");
    config.put("loadBalancingConfig", List.of(Map.of(OneStreamBalancer.POLICY, Map.of())));
    netty.defaultServiceConfig(config);
    return this;
  }

  /**
   * Makes the channel and starts HTTP/2 on the stream.
   *
   * @throws IllegalStateException if the stream is served or wrapped already
   */
  @Override
  public OneStreamChannel build() {
    StreamAttachment.claim(end.stream());
    netty.idleTimeout(Long.MAX_VALUE, TimeUnit.DAYS);
    OneStreamChannel channel = new OneStreamChannel(netty.build(), end);
    channel.start();
    return channel;
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
