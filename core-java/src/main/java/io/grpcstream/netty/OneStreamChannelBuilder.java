package io.grpcstream.netty;

import com.google.common.util.concurrent.MoreExecutors;
import io.grpc.Attributes;
import io.grpc.ForwardingChannelBuilder2;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.netty.NettyChannelBuilder;
import io.grpcstream.libp2p.Stream;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
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
  private @Nullable Executor executor;
  private Map<String, ?> serviceConfig = Map.of();

  /**
   * A builder for the channel over {@code stream}.
   *
   * @param attributes what the transport over the stream shall have among its attributes
   * @param budgets what each peer that is called may cost
   * @param stallTimeout how long a peer may hold with a message what other peers wait for
   * @param refusals told of what peers may not
   */
  public OneStreamChannelBuilder(
      Stream stream,
      Function<Stream, Attributes> attributes,
      PeerBudgets budgets,
      Duration stallTimeout,
      RefusalLog refusals) {
    end = new StreamEnd(stream);
    netty =
        new StreamClient(attributes, budgets, stallTimeout, refusals)
            .builder(
                new OneStreamAddress(end),
                this::attach,
                new StreamEventLoop(stream.channel().eventLoop()))
            .intercept(new RequestHeaderLimit()); // The first one added is the last to run.
  }

  /**
   * Once, that is. The load balancer never connects a second time, but a call that has been given
   * to the transport just before that failed makes gRPC do so: two HTTP/2 connections on one stream
   * would garble each other.
   */
  private io.netty.channel.Channel attach() {
    if (!attached.compareAndSet(false, true)) {
      throw end.record("its HTTP/2 connection is over", null).asRuntimeException();
    }
    return StreamClient.attach(end);
  }

  @Override
  protected ManagedChannelBuilder<?> delegate() {
    return netty;
  }

  /**
   * Runs the callbacks of calls by {@code executor}; null for gRPC's shared one, which also runs
   * what this one rejects, as it was shut down before the calls were over.
   */
  @Override
  public OneStreamChannelBuilder executor(@Nullable Executor executor) {
    this.executor = executor;
    return this;
  }

  @Override
  public OneStreamChannelBuilder directExecutor() {
    return executor(MoreExecutors.directExecutor());
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
    this.serviceConfig = serviceConfig == null ? Map.of() : serviceConfig;
    return this;
  }

  /** For a channel that is given its address, the service config chooses the load balancer. */
  private ManagedChannel buildWith(String balancer) {
    Map<String, Object> config = new HashMap<>(serviceConfig);
    config.remove("loadBalancingPolicy");
    config.put("loadBalancingConfig", List.of(Map.of(balancer, Map.of())));
    return netty.defaultServiceConfig(config).build();
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
    OneStreamCalls calls = new OneStreamCalls(end);
    netty.executor(calls.executorFor(executor));
    ManagedChannel built;
    try {
      built = OneStreamBalancer.whileNamed(this::buildWith);
    } catch (RuntimeException e) { // Such as a service config that gRPC does not take.
      calls.streamEnded(end.stream().channel().eventLoop());
      throw e;
    }
    OneStreamChannel channel = new OneStreamChannel(built, calls);
    channel.start();
    return channel;
  }
}
