package io.grpcstream.netty;

import com.google.common.util.concurrent.MoreExecutors;
import io.grpc.CallCredentials;
import io.grpc.ForwardingChannelBuilder2;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.NameResolverRegistry;
import io.grpc.internal.ClientTransportFactory;
import io.grpc.internal.ManagedChannelImplBuilder;
import io.grpc.netty.NettyChannelBuilder;
import io.grpcstream.libp2p.ConnectionListener;
import io.grpcstream.libp2p.Host;
import io.grpcstream.targets.PeerNameResolverProvider;
import io.grpcstream.targets.PeerTarget;
import io.grpcstream.targets.PeerTargetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Builds the channel to the peers of a target, over streams of one host: gRPC's own managed
 * channel, whose transports are {@link StreamTransport}s. All of gRPC's options are passed on to
 * it, or to grpc-netty where they are about HTTP/2.
 */
public final class ManagedPeerChannelBuilder
    extends ForwardingChannelBuilder2<ManagedPeerChannelBuilder> {
  private final Host host;
  private final String target;
  private final HostChannelCredentials credentials;
  private final StreamClient client;
  private final StreamStarter starter;
  private final ManagedChannelImplBuilder grpc;

  /** The transports of the channel that is being built. */
  private final AtomicReference<@Nullable ClientTransportFactory> transports =
      new AtomicReference<>();

  private @Nullable Executor executor;
  private Duration readyTimeout = ReadyDeadline.TIMEOUT;

  /**
   * A builder.
   *
   * @param perCall what each call is authorized by, where it names nothing itself; or null
   * @param budgets what each peer that is called may cost
   * @param stallTimeout how long a peer may hold with a message what other peers wait for
   * @throws IllegalArgumentException if {@code target} is none
   */
  public ManagedPeerChannelBuilder(
      String target,
      HostChannelCredentials credentials,
      @Nullable CallCredentials perCall,
      PeerBudgets budgets,
      Duration stallTimeout) {
    PeerTarget.parse(target);
    this.target = target;
    this.credentials = credentials;
    host = credentials.host();
    client = new StreamClient(credentials.attributes(), budgets, stallTimeout, new RefusalLog());
    starter = new StreamStarter(client, new PeerTargetAddress(host.peerId(), List.of(), ""));
    grpc =
        new ManagedChannelImplBuilder(
            target,
            credentials,
            perCall,
            () ->
                Objects.requireNonNull(transports.getAndSet(null), "there is no channel to build"),
            () -> 0, // There are no ports in a target.
            NameResolverRegistry.getDefaultRegistry(),
            new PeerNameResolverProvider());
    grpc.intercept(new RequestHeaderLimit()); // The first one added is the last to run.
  }

  @Override
  protected ManagedChannelBuilder<?> delegate() {
    return grpc;
  }

  /** What the peers that are called may cost, in place of what the builder was made with. */
  public ManagedPeerChannelBuilder limits(PeerBudgets budgets, Duration stallTimeout) {
    client.limits(budgets, stallTimeout);
    return this;
  }

  /** How long a peer that has agreed to a stream may say nothing on it. */
  ManagedPeerChannelBuilder readyTimeout(Duration timeout) {
    readyTimeout = timeout;
    return this;
  }

  /**
   * Runs the callbacks of calls by {@code executor}; null for gRPC's shared one, which also runs
   * what this one rejects, as it was shut down before the calls were over.
   */
  @Override
  public ManagedPeerChannelBuilder executor(@Nullable Executor executor) {
    this.executor = executor;
    return this;
  }

  @Override
  public ManagedPeerChannelBuilder directExecutor() {
    return executor(MoreExecutors.directExecutor());
  }

  /** Does nothing, as there is no choice: HTTP/2 goes over the encrypted libp2p connection. */
  @Override
  public ManagedPeerChannelBuilder usePlaintext() {
    return this;
  }

  /** Does nothing, as there is no choice: libp2p connections are encrypted. */
  @Override
  public ManagedPeerChannelBuilder useTransportSecurity() {
    return this;
  }

  // Options of HTTP/2, which grpc-netty has.

  /** All of them. */
  NettyChannelBuilder options() {
    return starter.options();
  }

  @Override
  public ManagedPeerChannelBuilder maxInboundMessageSize(int bytes) {
    starter.options().maxInboundMessageSize(bytes);
    return this;
  }

  @Override
  public ManagedPeerChannelBuilder maxInboundMetadataSize(int bytes) {
    starter.options().maxInboundMetadataSize(bytes);
    return this;
  }

  @Override
  public ManagedPeerChannelBuilder keepAliveTime(long time, TimeUnit unit) {
    starter.options().keepAliveTime(time, unit);
    return this;
  }

  @Override
  public ManagedPeerChannelBuilder keepAliveTimeout(long timeout, TimeUnit unit) {
    starter.options().keepAliveTimeout(timeout, unit);
    return this;
  }

  @Override
  public ManagedPeerChannelBuilder keepAliveWithoutCalls(boolean enable) {
    starter.options().keepAliveWithoutCalls(enable);
    return this;
  }

  /** Makes the channel, which begins to dial with its first call. */
  @Override
  public ManagedChannel build() {
    PeerDials dials = new PeerDials(host, credentials.statusOf(), System::nanoTime);
    PeerCalls calls = new PeerCalls(target, dials);
    ChannelEnd end = new ChannelEnd(calls);
    StreamTransportFactory factory =
        new StreamTransportFactory(dials, starter, readyTimeout, end::terminated);
    transports.set(factory);
    grpc.executor(calls.executorFor(executor));
    ManagedChannel managed;
    try {
      managed = grpc.build();
    } catch (RuntimeException e) { // Such as a service config that gRPC does not take.
      transports.set(null);
      factory.close();
      throw e;
    }
    PeerChannel channel = new PeerChannel(managed, target, host, dials, calls);
    end.listening(host.addListener(channel));
    return channel;
  }

  /** What is to be released once gRPC's channel has terminated. */
  private static final class ChannelEnd {
    private final PeerCalls calls;
    private ConnectionListener.@Nullable Registration listening;
    private boolean terminated;

    ChannelEnd(PeerCalls calls) {
      this.calls = calls;
    }

    void listening(ConnectionListener.Registration registration) {
      synchronized (this) {
        listening = registration;
        if (!terminated) {
          return;
        }
      }
      registration.close();
    }

    void terminated() {
      ConnectionListener.Registration registration;
      synchronized (this) {
        terminated = true;
        registration = listening;
      }
      if (registration != null) {
        registration.close();
      }
      calls.over();
    }
  }
}
