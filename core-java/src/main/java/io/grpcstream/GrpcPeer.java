package io.grpcstream;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpc.ManagedChannel;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.util.StageFuture;
import io.grpcstream.netty.PeerBudgets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;

/**
 * A peer that serves and calls: a host, its services and its channels, started and ended in the
 * right order by one object.
 *
 * <pre>{@code
 * GrpcPeer peer = GrpcPeer.builder()
 *     .listen("/ip4/0.0.0.0/tcp/4001")
 *     .serve("/greeter/1.0.0", GrpcStream.builder().addService(new GreeterService()).build())
 *     .build();
 * peer.start().thenRun(() -> {
 *   Channel other = peer.channel("libp2p:/ip4/10.0.0.1/tcp/4001/p2p/12D3…?protocol=/greeter/1.0.0");
 *   GreeterGrpc.newStub(other).sayHello(request, observer);
 * });
 * }</pre>
 *
 * <p>What it serves is registered with the host and served from the start; what it calls goes over
 * channels that are made once for each target, and end with the peer. It ends in this order: no new
 * calls come in; those in flight finish, for which they may still call others; channels end; the
 * host ends. Calls in flight both ways have the grace, then they are cut.
 *
 * <p>All methods may be called from any thread and, {@link #close()} apart, none blocks.
 */
public final class GrpcPeer implements AutoCloseable {
  private final Host host;
  private final Map<String, GrpcStream> services;
  private final Consumer<? super PeerChannelBuilder> channelOptions;
  private final PeerBudgets calledPeers;
  private final Duration stallTimeout;
  private final CompletableFuture<GrpcPeer> started = new CompletableFuture<>();
  private final CompletableFuture<Void> ended = new CompletableFuture<>();

  @GuardedBy("this")
  private final Map<String, ManagedChannel> channels = new HashMap<>();

  @GuardedBy("this")
  private boolean starting;

  @GuardedBy("this")
  private boolean ending;

  /** The time by {@link System#nanoTime} at which calls in flight are cut. */
  @GuardedBy("this")
  private long end;

  private GrpcPeer(Builder options) {
    Host.Builder builder = Host.builder();
    options.hostOptions.forEach(option -> option.accept(builder));
    host = builder.build();
    services = Collections.unmodifiableMap(options.builtServices());
    List<Consumer<? super PeerChannelBuilder>> all = List.copyOf(options.channelOptions);
    channelOptions = channel -> all.forEach(option -> option.accept(channel));
    calledPeers = options.callLimits.newBudgets();
    stallTimeout = options.callLimits.stallTimeout();
    host.closed().thenRun(this::hostEnded);
  }

  /** A builder that holds the defaults: a fresh identity, no address to listen on, no services. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Begins to serve, and to listen on all addresses; if it cannot listen on one the stage fails,
   * and the peer is shut down. Calling it again returns the stage of the first call.
   *
   * <p>Before it is started a peer calls nobody: calls on its channels fail, or wait.
   */
  public CompletionStage<GrpcPeer> start() {
    synchronized (this) {
      if (starting) {
        return StageFuture.copyOf(started);
      }
      starting = true;
    }
    try {
      services.forEach(this::serve);
    } catch (RuntimeException e) { // Such as a GrpcStream that was shut down.
      fail(e);
      return StageFuture.copyOf(started);
    }
    host.start()
        .whenComplete(
            (listening, failure) -> {
              if (failure == null) {
                started.complete(this);
              } else {
                fail(failure);
              }
            });
    return StageFuture.copyOf(started);
  }

  private void serve(String protocol, GrpcStream grpc) {
    host.handle(protocol, grpc.handler());
    grpc.serve();
  }

  private void fail(Throwable failure) {
    shutdown(Duration.ZERO).whenComplete((v, f) -> started.completeExceptionally(failure));
  }

  /** The host: its connections, its listeners, its address book. It ends with the peer. */
  public Host host() {
    return host;
  }

  /** The identity of this peer. */
  public PeerId peerId() {
    return host.peerId();
  }

  /** Where it is reached; see {@link Host#listenAddresses()}. */
  public List<Multiaddr> addresses() {
    return host.listenAddresses();
  }

  /**
   * The channel to the peers of {@code target}, with the options of {@link
   * Builder#configureChannels}: the same each time, until it is shut down, with the peer at the
   * latest. See {@link PeerChannelBuilder#forTarget}; for a channel with options of its own, use
   * that with {@link #host()}.
   *
   * @throws IllegalArgumentException if it is no target
   */
  public ManagedChannel channel(String target) {
    Objects.requireNonNull(target, "the target is null");
    synchronized (this) {
      ManagedChannel known = channels.get(target);
      if (known != null && !known.isShutdown()) {
        return known;
      }
      PeerChannelBuilder builder = PeerChannelBuilder.forTarget(host, target);
      builder.limits(calledPeers, stallTimeout);
      channelOptions.accept(builder);
      ManagedChannel channel = builder.build(); // At its end, the host shuts it down.
      channels.values().removeIf(ManagedChannel::isShutdown);
      channels.put(target, channel);
      return channel;
    }
  }

  /** The same, to {@code peer}: connected, or at an address that the host knows. */
  public ManagedChannel channel(PeerId peer, String protocol) {
    return channel(PeerChannelBuilder.target(peer, protocol));
  }

  /**
   * The same, to the peer that {@code address} names.
   *
   * @throws IllegalArgumentException if it does not end in {@code /p2p/<peer id>}
   */
  public ManagedChannel channel(Multiaddr address, String protocol) {
    return channel(PeerChannelBuilder.target(address, protocol));
  }

  /**
   * Ends all, in the order that is described above. Idempotent: a later call can shorten the grace,
   * not lengthen it. Services that were given to the builder are shut down, too.
   *
   * @param grace zero to cut at once
   * @return completes once all has ended
   */
  public CompletionStage<Void> shutdown(Duration grace) {
    Objects.requireNonNull(grace, "the grace is null");
    synchronized (this) {
      long wanted = System.nanoTime() + nanos(grace);
      if (!ending || wanted - end < 0) {
        end = wanted;
      }
      ending = true;
    }
    List<CompletableFuture<Void>> served = new ArrayList<>();
    services.forEach((protocol, grpc) -> served.add(grpc.shutdown(grace).toCompletableFuture()));
    CompletableFuture.allOf(served.toArray(CompletableFuture[]::new))
        .thenRun(() -> host.shutdown(Duration.ofNanos(remaining())));
    return StageFuture.copyOf(ended);
  }

  private static long nanos(Duration grace) {
    Duration longest = Duration.ofDays(365); // Beyond it, the sum might overflow.
    return (grace.compareTo(longest) > 0 ? longest : grace).toNanos();
  }

  private synchronized long remaining() {
    return Math.max(0, end - System.nanoTime());
  }

  /** The host has ended, with the peer or by itself. */
  private void hostEnded() {
    List<CompletableFuture<Void>> served = new ArrayList<>();
    services.forEach(
        (protocol, grpc) -> served.add(grpc.shutdown(Duration.ZERO).toCompletableFuture()));
    CompletableFuture.allOf(served.toArray(CompletableFuture[]::new))
        .thenRun(() -> ended.complete(null));
  }

  /** Completes, never exceptionally, once the peer has ended, by whomever it was shut down. */
  public CompletionStage<Void> closed() {
    return StageFuture.copyOf(ended);
  }

  /**
   * {@link #shutdown} with {@link GrpcStream#DEFAULT_GRACE}, and waits for its end. If the thread
   * is interrupted, cuts at once and returns with the interrupt flag set. On an event loop of a
   * host, where waiting might never end, it starts the shutdown and returns at once.
   */
  @Override
  public void close() {
    shutdown(GrpcStream.DEFAULT_GRACE);
    if (host.inEventLoop()) {
      return;
    }
    try {
      ended.get();
    } catch (InterruptedException e) {
      shutdown(Duration.ZERO);
      Thread.currentThread().interrupt();
    } catch (ExecutionException e) {
      throw new AssertionError("the end of a peer cannot fail", e);
    }
  }

  @Override
  public String toString() {
    return "peer " + peerId() + " serving " + services.keySet();
  }

  /** Collects what a peer is made of. */
  public static final class Builder {
    private final List<Consumer<? super Host.Builder>> hostOptions = new ArrayList<>();

    /** What serves a protocol: a {@link GrpcStream}, or the builder of one. */
    private final Map<String, Object> services = new LinkedHashMap<>();

    private final List<PeerExtension> extensions = new ArrayList<>();
    private final List<Consumer<? super PeerChannelBuilder>> channelOptions = new ArrayList<>();
    private CallLimits callLimits = CallLimits.defaults();

    private Builder() {}

    /** Who the peer is; see {@link Host.Builder#identity}. Default: a fresh key. */
    public Builder identity(PrivateKey key) {
      Objects.requireNonNull(key, "the identity is null");
      return configureHost(host -> host.identity(key));
    }

    /**
     * An address to listen on, such as {@code /ip4/0.0.0.0/tcp/4001}; repeatable. With none the
     * peer only dials, and is called over the connections that it makes.
     */
    public Builder listen(String address) {
      Objects.requireNonNull(address, "the address is null");
      return configureHost(host -> host.listen(address));
    }

    /** Sets further options of the host; repeatable. */
    public Builder configureHost(Consumer<? super Host.Builder> options) {
      hostOptions.add(Objects.requireNonNull(options, "the options are null"));
      return this;
    }

    /**
     * Serves the streams of {@code protocol} by {@code grpc}, which becomes the peer's to serve and
     * to shut down. It may serve several protocols.
     *
     * @throws IllegalArgumentException if {@code protocol} is served already
     */
    public Builder serve(String protocol, GrpcStream grpc) {
      Objects.requireNonNull(protocol, "the protocol is null");
      return put(protocol, Objects.requireNonNull(grpc, "the GrpcStream is null"));
    }

    /**
     * The same with what {@code grpc} builds, for which the extensions that are {@linkplain
     * #install installed} hold, too.
     */
    public Builder serve(String protocol, GrpcStream.Builder grpc) {
      Objects.requireNonNull(protocol, "the protocol is null");
      return put(protocol, Objects.requireNonNull(grpc, "the builder of a GrpcStream is null"));
    }

    private Builder put(String protocol, Object service) {
      if (services.putIfAbsent(protocol, service) != null) {
        throw new IllegalArgumentException("protocol " + protocol + " is served already");
      }
      return this;
    }

    private Map<String, GrpcStream> builtServices() {
      Map<GrpcStream.Builder, GrpcStream> built = new HashMap<>();
      Map<String, GrpcStream> all = new LinkedHashMap<>();
      services.forEach(
          (protocol, service) ->
              all.put(
                  protocol,
                  service instanceof GrpcStream.Builder builder
                      ? built.computeIfAbsent(builder, this::build)
                      : (GrpcStream) service));
      return all;
    }

    private GrpcStream build(GrpcStream.Builder grpc) {
      extensions.forEach(grpc::install);
      return grpc.build();
    }

    /**
     * Adds {@code extension} to the peer: to its host, its channels, and the services that are
     * given as builders. A {@link GrpcStream} that was built before has what it was built with.
     */
    public Builder install(PeerExtension extension) {
      extensions.add(Objects.requireNonNull(extension, "the extension is null"));
      return configureHost(extension::configureHost).configureChannels(extension::configureChannel);
    }

    /** The same for the protocol {@link GrpcStream#PROTOCOL}. */
    public Builder serve(GrpcStream grpc) {
      return serve(GrpcStream.PROTOCOL, grpc);
    }

    /** Sets options of the channels that {@link GrpcPeer#channel(String)} makes; repeatable. */
    public Builder configureChannels(Consumer<? super PeerChannelBuilder> options) {
      channelOptions.add(Objects.requireNonNull(options, "the options are null"));
      return this;
    }

    /**
     * What the peers that this one calls may cost, over all its channels; default: {@link
     * CallLimits#defaults()}. Of calls that are served, {@link GrpcStream.Builder#callLimits} says
     * it.
     */
    public Builder callLimits(CallLimits limits) {
      callLimits = Objects.requireNonNull(limits, "the limits of calls are null");
      return this;
    }

    /**
     * Makes it, not yet started; call this once, as services belong to one peer.
     *
     * @throws IllegalArgumentException if an address to listen on is none, or names another peer
     */
    public GrpcPeer build() {
      return new GrpcPeer(this);
    }
  }
}
