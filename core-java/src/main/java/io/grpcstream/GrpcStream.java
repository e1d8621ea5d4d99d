package io.grpcstream;

import io.grpc.Attributes;
import io.grpc.BindableService;
import io.grpc.HandlerRegistry;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpcstream.failures.FailureTable;
import io.grpcstream.failures.MalformedRequest;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.StreamHandler;
import io.grpcstream.libp2p.libraries.Libraries;
import io.grpcstream.libp2p.text.DurationText;
import io.grpcstream.libp2p.util.HostThread;
import io.grpcstream.libp2p.util.StageFuture;
import io.grpcstream.netty.ChannelDial;
import io.grpcstream.netty.OneStreamChannel;
import io.grpcstream.netty.OneStreamChannelBuilder;
import io.grpcstream.netty.PeerBudgets;
import io.grpcstream.netty.RefusalLog;
import io.grpcstream.netty.StreamAttachment;
import io.grpcstream.netty.StreamServer;
import io.grpcstream.serving.GrpcServerView;
import io.grpcstream.serving.GrpcStreamAddress;
import io.grpcstream.serving.InboundStreams;
import io.grpcstream.serving.Servers;
import io.grpcstream.serving.StreamTracker;
import io.grpcstream.serving.TrackedStream;
import io.grpcstream.targets.PeerTarget;
import java.net.SocketAddress;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * gRPC over the streams of a libp2p host: one stream carries one HTTP/2 connection, and the opener
 * of the stream is the gRPC client.
 *
 * <pre>{@code
 * GrpcStream grpc = GrpcStream.builder().addService(new GreeterService()).build().serve();
 * host.handle("/greeter/1.0.0", grpc.handler());
 *
 * host.newStream(address, "/greeter/1.0.0")
 *     .thenApply(grpc::client)
 *     .thenAccept(channel -> GreeterGrpc.newStub(channel).sayHello(request, observer));
 * }</pre>
 *
 * <p>Streams that peers open come in through {@link #handler()}. Before {@link #serve()} they wait
 * in a bounded backlog for {@link #accept()}, or for {@code serve()}; from then on all are served.
 *
 * <p>What a peer's calls may cost is bounded, see {@link Host#stats()} for what was refused:
 *
 * <ul>
 *   <li><b>Memory.</b> A call holds at most 128 KiB unread, or of a message that is not complete;
 *       all calls on one stream hold 16 MiB more for longer messages (or one message, where that is
 *       longer), and 8 MiB in windows that have grown with what the services read. What does not
 *       fit waits with the caller, message by message, and peers take turns; no call fails for it.
 *       All calls of all peers hold at most half of the heap's size, and a peer no more than is
 *       left free when it has got it: the call that asks for more ends with {@code
 *       RESOURCE_EXHAUSTED}. The same holds of what servers send: for all channels that {@link
 *       #client} makes together, and for each that {@link #wrapClient} makes by itself. These are
 *       payloads; buffers that hold them may have up to four times their size.
 *   <li><b>Resets.</b> A peer may reset 2,000 calls in 10 seconds that were sent no answer within
 *       their first second; each answered call gives one more. Beyond, it loses the stream (GOAWAY
 *       with {@code ENHANCE_YOUR_CALM}), and is served again after 5 seconds.
 *   <li><b>Time.</b> What is half sent (the HTTP/2 preface, a frame, a header block, a message that
 *       has begun) must go on within 60 seconds; a long message for whose room others wait by 4 KiB
 *       a second. Pauses between messages have no limit.
 *   <li><b>Headers.</b> Status texts, trailers and headers are kept within what the other side
 *       takes; where something had to be left out, the status says so.
 * </ul>
 *
 * <p>All memory, the number of resets and the 60 seconds are defaults: see {@link CallLimits}.
 *
 * <p>No argument may be null: else a {@link NullPointerException} names it, thrown at once.
 *
 * <p>All methods may be called from any thread and, {@link #close()} apart, none blocks. gRPC runs
 * on the event loop of the stream; services run on the {@linkplain Builder#executor executor}.
 *
 * <p>Logging is by SLF4J. Peers that leave are seen at debug level; what a peer does wrong is one
 * line with its name, at a limited rate; failures of services, see {@link FailureInterceptor}. gRPC
 * itself logs by {@code java.util.logging}, and a few lines that a peer can cause are beyond our
 * reach: who does not want them sets the level of {@code io.grpc.netty.NettyServerHandler} (a frame
 * that breaks HTTP/2 within one call, such as headers past the limit: "Stream Error", with a stack;
 * a ping answered that was not sent), of {@code io.grpc.netty.NettyServerStream} (a message that is
 * too large or wrongly compressed: "Exception processing message", with a stack) and, where a
 * server breaks HTTP/2, of {@code io.grpc.netty.NettyClientHandler}; what a listener of a call
 * throws is logged by {@code io.grpc.internal.ServerCallImpl} and {@code
 * io.grpc.internal.SerializingExecutor}.
 */
public final class GrpcStream implements AutoCloseable {
  // The file is long, but half of it is what users are told: the code only wires rooms together.

  /** The protocol id where none is named: {@value}. */
  public static final String PROTOCOL = PeerTarget.DEFAULT_PROTOCOL;

  /** The grace that {@link #close()} gives to calls in flight. */
  public static final Duration DEFAULT_GRACE = Duration.ofSeconds(5);

  /** How many streams may wait to be accepted; see {@link Builder#backlog}. */
  public static final int DEFAULT_BACKLOG = 64;

  /** How long a stream may wait to be accepted; see {@link Builder#backlogTimeout}. */
  public static final Duration DEFAULT_BACKLOG_TIMEOUT = Duration.ofSeconds(30);

  /** The stream below a transport, in {@code getAttributes()} of its calls, on both sides. */
  public static final Attributes.Key<Stream> TRANSPORT_ATTR_STREAM = StreamAttachment.STREAM;

  private static final String SHUT_DOWN = "shut down on this side";

  private final SocketAddress address;
  private final StreamTracker streams;
  private final List<Consumer<ManagedChannelBuilder<?>>> clientOptions;
  private final @Nullable HealthStatusManager health;
  private final Servers servers;
  private final InboundStreams<GrpcConnection> inbound;
  private final Server serverView;
  private final PeerBudgets calledPeers;
  private final Duration stallTimeout;
  private final RefusalLog refusals = new RefusalLog();
  private final AtomicBoolean shutdownBegun = new AtomicBoolean();

  /**
   * One of {@code options}.
   *
   * @param prepared the transports of its server, with options of their own; or null
   */
  GrpcStream(Builder options, SocketAddress address, @Nullable StreamServer prepared) {
    Libraries.checkForGrpc();
    this.address = address;
    clientOptions = List.copyOf(options.clientOptions);
    health = options.health;
    calledPeers = options.callLimits.newBudgets();
    stallTimeout = options.callLimits.stallTimeout();
    PeerBudgets callers = options.callLimits.newBudgets();
    StreamServer transports =
        prepared != null ? prepared : newTransports(address, callers, stallTimeout, refusals);
    transports.limits(callers, stallTimeout);
    options.applyTo(transports.builder());
    servers =
        new Servers(
            transports,
            options.otherServices,
            timeout -> newTransports(address, callers, timeout, refusals),
            stallTimeout,
            options.outerInterceptors());
    serverView =
        new GrpcServerView(
            () -> List.of(address), () -> -1, servers.server(), this::serve, this::shutdown);
    options.services.forEach(this::registerService);
    inbound =
        new InboundStreams<>(
            address,
            servers,
            options.authorizer::allows,
            options.backlog,
            options.backlogTimeout,
            refusals,
            this::accepted);
    streams = inbound.streams();
  }

  /** One with all defaults. */
  public static GrpcStream create() {
    return builder().build();
  }

  /** A builder that holds the defaults. */
  public static Builder builder() {
    return new Builder();
  }

  // --- serving -----------------------------------------------------------------------------------

  /** Offers {@code service} from the next call on; it replaces a service of the same name. */
  public GrpcStream registerService(BindableService service) {
    return registerService(requireService(service).bindService());
  }

  /** Offers {@code service} from the next call on; it replaces a service of the same name. */
  public GrpcStream registerService(ServerServiceDefinition service) {
    String name = requireService(service).getServiceDescriptor().getName();
    boolean isNew = !isOffered(name);
    servers.add(MalformedRequest.passedOn(service));
    if (health != null && isNew) { // What was said of one that is replaced stays.
      health.setStatus(name, ServingStatus.SERVING);
    }
    return this;
  }

  private boolean isOffered(String serviceName) {
    return servers.services().getServices().stream()
        .anyMatch(service -> service.getServiceDescriptor().getName().equals(serviceName));
  }

  /**
   * Offers a service no longer: later calls fail with {@code UNIMPLEMENTED}, calls in flight go on.
   *
   * @param serviceName its full name, such as {@code greeter.Greeter}
   * @return whether it was offered
   */
  public boolean unregisterService(String serviceName) {
    Objects.requireNonNull(serviceName, "the service name is null");
    boolean removed =
        servers.services().getServices().stream()
            .filter(service -> service.getServiceDescriptor().getName().equals(serviceName))
            .anyMatch(servers.services()::removeService);
    if (removed && health != null) {
      health.clearStatus(serviceName);
    }
    return removed;
  }

  /**
   * The server: its {@code start()} is {@link #serve()}, its {@code shutdown()} and {@code
   * shutdownNow()} are {@link #shutdown} without a limit and without a grace.
   */
  public Server grpcServer() {
    return serverView;
  }

  /**
   * What hands the streams of a protocol to this object: {@code host.handle(protocol,
   * grpc.handler())}. It may serve several protocols, and several hosts. It also takes a stream
   * that we have opened; to serve one of those regardless of backlog and authorizer, use {@link
   * #serve(Stream)}.
   *
   * <p>A peer that the {@link PeerAuthorizer} refuses gets {@code PERMISSION_DENIED} for each call.
   * When the backlog is full, or when this object is shut down, the stream is reset: the peer's
   * calls fail with {@code UNAVAILABLE}.
   */
  public StreamHandler handler() {
    return this::onStream;
  }

  /**
   * Takes one stream as {@link #handler()} does, for streams that come from another stack than our
   * {@link io.grpcstream.libp2p.Host}; see {@link Stream#over}. Call it on the stream's event loop,
   * before any of its bytes are delivered. It never blocks.
   */
  public void onStream(Stream stream) {
    inbound.onStream(requireStream(stream));
  }

  /**
   * Serves all inbound streams from now on, those that wait in the backlog first. Pending {@link
   * #accept accepts} fail. Calling it again has no effect.
   *
   * @throws IllegalStateException after {@link #shutdown}
   */
  public GrpcStream serve() {
    inbound.serveAll();
    return this;
  }

  /**
   * Serves this one stream, whatever the mode and the authorizer say. It may be a stream that we
   * have opened: then the peer is the gRPC client on it (see {@link GrpcConnection#client()}),
   * which lets two peers that agree on a protocol turn the roles round. After {@link #shutdown} the
   * stream is reset.
   *
   * @throws IllegalStateException if the stream is served or wrapped already
   */
  public GrpcStream serve(Stream stream) {
    inbound.serve(requireStream(stream));
    return this;
  }

  // --- accepting ---------------------------------------------------------------------------------

  /**
   * The next inbound stream, oldest first; accepts are served in the order in which they were made.
   * The stage completes on the stream's event loop, which must not wait (see {@link #dial}), or at
   * once if a stream waits.
   *
   * <p>Cancelling its future, or completing it otherwise, gives up the place and loses no stream. A
   * stage fails with {@link IllegalStateException} once {@link #serve()} was called, and with
   * {@link ClosedChannelException} once this object is shut down.
   */
  public CompletionStage<GrpcConnection> accept() {
    return inbound.accept();
  }

  /**
   * The name of this object within its process, as gRPC's tools show it. It is not an address to
   * dial: peers reach the hosts that use {@link #handler()}.
   */
  public SocketAddress address() {
    return address;
  }

  // --- calling -----------------------------------------------------------------------------------

  /**
   * A channel over {@code stream}, as {@link #wrapClient} makes it, with the options of {@link
   * Builder#configureClient} and within the {@link Builder#callLimits}; it is shut down with this
   * object. Made after {@link #shutdown}, all its calls fail with {@code UNAVAILABLE}.
   *
   * @throws IllegalStateException if the stream is served or wrapped already
   */
  public ManagedChannel client(Stream stream) {
    OneStreamChannelBuilder builder =
        new OneStreamChannelBuilder(
            requireStream(stream), PeerContext::attributesOf, calledPeers, stallTimeout, refusals);
    clientOptions.forEach(option -> option.accept(builder));
    OneStreamChannel client = builder.build();
    streams.wrapped(client);
    if (inbound.isClosed()) {
      client.drain(SHUT_DOWN);
      stream.reset();
    }
    return client;
  }

  /**
   * A channel over {@code stream}, which the peer serves. The two live and die together: shutting
   * down the channel closes the stream; when the stream ends, calls in flight get their real
   * status, and all later calls, also those that wait for readiness, fail at once with {@code
   * UNAVAILABLE} and a text that names peer, protocol and cause. A channel never reconnects: open
   * another stream.
   *
   * <p>What has arrived for a call before its stream ended is delivered as its user asks for it,
   * and then its end. A call that is cancelled, or reaches its deadline, drops the rest. One whose
   * user does none of this, and which has no deadline, keeps what has arrived (at most an HTTP/2
   * window) until the host shuts down; then, and on {@code shutdownNow()}, it ends with {@code
   * UNAVAILABLE}.
   *
   * <p>A blocking stub fails at once with {@code FAILED_PRECONDITION} on the event loop of the
   * stream (in a stage's {@code thenApply}, in a callback on a direct executor), where it would
   * wait for itself for ever.
   *
   * @throws IllegalStateException if the stream is served or wrapped already
   */
  public static ManagedChannel wrapClient(Stream stream) {
    return wrapClientBuilder(stream).build();
  }

  /**
   * A builder for the channel of {@link #wrapClient}, to set options. Those that decide how to
   * connect (idle timeout, load balancing, plaintext) have no effect. The authority is the peer id.
   * What the peer may cost is bounded by {@link CallLimits#defaults()}, for this channel by itself.
   */
  public static ManagedChannelBuilder<?> wrapClientBuilder(Stream stream) {
    return wrapClientBuilder(stream, CallLimits.defaults());
  }

  /** The same within other limits, of which a channel needs {@link CallLimits#memory()}. */
  public static ManagedChannelBuilder<?> wrapClientBuilder(Stream stream, CallLimits limits) {
    return new OneStreamChannelBuilder(
        requireStream(stream),
        PeerContext::attributesOf,
        Objects.requireNonNull(limits, "the limits of calls are null").newBudgets(),
        limits.stallTimeout(),
        new RefusalLog());
  }

  /**
   * Opens a stream for {@code protocol} to the peer at {@code address} and {@linkplain #wrapClient
   * wraps} it. The stage fails with {@link io.grpc.StatusRuntimeException}, see {@link #statusOf}:
   * {@code UNAVAILABLE} if the peer cannot be reached or does not speak the protocol, {@code
   * UNAUTHENTICATED} if another peer answers, {@code PERMISSION_DENIED} if our own policy forbids
   * it. Cancelling its future gives up.
   *
   * <p>It completes on the event loop of the stream, which must not wait. A blocking stub of the
   * channel fails there at once, with {@code FAILED_PRECONDITION}, where it would wait for itself
   * for ever: use an asynchronous stub, or go on by {@code thenApplyAsync}, or wait for the stage
   * on a thread of your own. (gRPC cannot tell that a future of a stub is waited for, or a {@code
   * BlockingClientCall} made elsewhere: do not do so there.)
   */
  public static CompletionStage<ManagedChannel> dial(
      Host host, Multiaddr address, String protocol) {
    return ChannelDial.over(
        requireHost(host).newStream(address, protocol),
        GrpcStream::wrapClient,
        GrpcStream::statusOf);
  }

  /** The same, over a live connection to {@code peer} or one of its known addresses. */
  public static CompletionStage<ManagedChannel> dial(Host host, PeerId peer, String protocol) {
    return ChannelDial.over(
        requireHost(host).newStream(peer, protocol), GrpcStream::wrapClient, GrpcStream::statusOf);
  }

  /**
   * What {@code failure}, of a {@link Host}'s operation or of one here, is to a gRPC user.
   *
   * @return {@code UNAUTHENTICATED} for another peer than the one dialled, {@code
   *     PERMISSION_DENIED} for a connection gater, {@code UNAVAILABLE} for all that another attempt
   *     might mend, such as an unreachable peer or an unknown protocol; the failure's text and the
   *     failure as its cause
   */
  public static Status statusOf(Throwable failure) {
    return FailureTable.statusOf(Objects.requireNonNull(failure, "the failure is null"));
  }

  // --- health, shutdown --------------------------------------------------------------------------

  /**
   * The statuses that the health service reports.
   *
   * @throws IllegalStateException without {@link Builder#health()}
   */
  public HealthStatusManager healthStatus() {
    if (health == null) {
      throw new IllegalStateException(address + " has no health service: ask for it when building");
    }
    return health;
  }

  /**
   * Shuts down: resets the streams in the backlog and those handed out but not decided about,
   * accepts no more, and tells the peers of the others so (GOAWAY). Calls in flight, served or made
   * by {@link #client} channels, have {@code grace} to finish; then they are cut off with {@code
   * UNAVAILABLE}. The health service reports {@code NOT_SERVING} meanwhile.
   *
   * @param grace zero to cut at once; a later call can shorten the grace, not lengthen it
   * @return completes once all streams of this object have ended, as a rule on an event loop, where
   *     nothing may wait
   */
  public CompletionStage<Void> shutdown(Duration grace) {
    Objects.requireNonNull(grace, "the grace is null");
    inbound.close();
    if (health != null && shutdownBegun.compareAndSet(false, true)) {
      health.enterTerminalState(); // A second time, gRPC would warn.
    }
    // Without grace, this cuts before GOAWAY is sent, which says that calls in flight may finish:
    // of
    // calls that are cut after it grpc-js says INTERNAL instead of UNAVAILABLE.
    CompletableFuture<Void> ended = streams.end(SHUT_DOWN, grace);
    servers.shutdown();
    return StageFuture.copyOf(ended);
  }

  /**
   * Completes, never exceptionally, when the stage of {@link #shutdown} does, by whomever called.
   */
  public CompletionStage<Void> terminated() {
    return StageFuture.copyOf(streams.ended());
  }

  /**
   * {@link #shutdown} with {@link #DEFAULT_GRACE}, and waits for its end. If the thread is
   * interrupted, cuts at once and returns with the interrupt flag set. On an event loop of a host,
   * where waiting might never end, it starts the shutdown and returns at once.
   */
  @Override
  public void close() {
    boolean inEventLoop = streams.inEventLoop() || HostThread.isCurrent();
    shutdown(DEFAULT_GRACE);
    CompletableFuture<Void> ended = streams.ended();
    if (inEventLoop) {
      return;
    }
    try {
      ended.get();
    } catch (InterruptedException e) {
      shutdown(Duration.ZERO);
      Thread.currentThread().interrupt();
    } catch (ExecutionException e) {
      throw new AssertionError("the end of streams cannot fail", e);
    }
  }

  /** The transports of a server, with {@link PeerContext}. */
  static StreamServer newTransports(
      SocketAddress address, PeerBudgets budgets, Duration stallTimeout, RefusalLog refusals) {
    return Servers.transports(address, PeerContext::attributesOf, budgets, stallTimeout, refusals);
  }

  private GrpcConnection accepted(TrackedStream stream) {
    return new GrpcConnection(this, inbound, stream);
  }

  private static Stream requireStream(Stream stream) {
    return Objects.requireNonNull(stream, "the stream is null");
  }

  private static Host requireHost(Host host) {
    return Objects.requireNonNull(host, "the host is null");
  }

  private static <T> T requireService(T service) {
    return Objects.requireNonNull(service, "the service is null");
  }

  private static <T> T requireOptions(T options) {
    return Objects.requireNonNull(options, "the options are null");
  }

  @Override
  public String toString() {
    return address + " (" + inbound + ")";
  }

  /** Collects what a {@link GrpcStream} is made of. */
  public static final class Builder {
    /** So many entries does channelz give at once. */
    private static final int CHANNELZ_PAGE = 100;

    private static final CompletableFuture<Boolean> ALLOWED =
        CompletableFuture.completedFuture(true);
    private static final CompletableFuture<Boolean> DENIED =
        CompletableFuture.completedFuture(false);

    private final List<ServerServiceDefinition> services = new ArrayList<>();
    private final List<Consumer<ServerBuilder<?>>> serverOptions = new ArrayList<>();
    private final List<Consumer<ManagedChannelBuilder<?>>> clientOptions = new ArrayList<>();
    private int backlog = DEFAULT_BACKLOG;
    private Duration backlogTimeout = DEFAULT_BACKLOG_TIMEOUT;
    private CallLimits callLimits = CallLimits.defaults();
    private AsyncPeerAuthorizer authorizer = (peer, protocol) -> ALLOWED;
    private final List<Function<? super Throwable, ? extends @Nullable Status>> failureHooks =
        new ArrayList<>();
    private boolean mdc;
    private boolean channelz;
    private @Nullable HealthStatusManager health;

    /** Services beside those that are registered, of a {@link PeerServerBuilder}. */
    @Nullable HandlerRegistry otherServices;

    private Builder() {}

    /** Offers {@code service} from the start; as {@link GrpcStream#registerService} does later. */
    public Builder addService(BindableService service) {
      return addService(requireService(service).bindService());
    }

    /** Offers {@code service} from the start; as {@link GrpcStream#registerService} does later. */
    public Builder addService(ServerServiceDefinition service) {
      services.add(requireService(service));
      return this;
    }

    /**
     * Runs {@code interceptor} for each call that is served; as in gRPC, the last one added runs
     * first. {@link PeerContext} is set before any of them.
     */
    public Builder intercept(ServerInterceptor interceptor) {
      Objects.requireNonNull(interceptor, "the interceptor is null");
      serverOptions.add(server -> server.intercept(interceptor));
      return this;
    }

    /**
     * Decides which status the failure of a service or an interceptor becomes; null leaves it to
     * the {@code map} that was added after it, and in the end to the type of the failure:
     *
     * <table>
     * <caption>By default</caption>
     * <tr><th>failure</th><th>status</th></tr>
     * <tr><td>{@link java.util.concurrent.CancellationException}</td><td>{@code CANCELLED}</td></tr>
     * <tr><td>{@link java.util.concurrent.TimeoutException}</td><td>{@code DEADLINE_EXCEEDED}</td>
     *     </tr>
     * <tr><td>{@link SecurityException}</td><td>{@code PERMISSION_DENIED}</td></tr>
     * <tr><td>any other</td><td>{@code UNKNOWN}</td></tr>
     * </table>
     *
     * <p>{@code mapFailure(ExceptionTypes::statusOf)} gives codes to the JDK's everyday exceptions,
     * too. The peer gets the failure's text only if {@code map} puts it into the status. To send
     * trailers too, such as error details, throw a {@link io.grpc.StatusRuntimeException} here. If
     * {@code map} fails otherwise, or answers {@code OK}, that is logged and the call fails with
     * {@code INTERNAL}.
     *
     * <p>It is not asked about status exceptions, which are sent as they are. It runs once a failed
     * call, where the service does, and must not block if that is an event loop. {@link
     * FailureInterceptor} has what else becomes of failures.
     */
    public Builder mapFailure(Function<? super Throwable, ? extends @Nullable Status> map) {
      failureHooks.add(Objects.requireNonNull(map, "the map is null"));
      return this;
    }

    /** Where services run; default: gRPC's shared pool of threads, where they may block. */
    public Builder executor(Executor executor) {
      Objects.requireNonNull(executor, "the executor is null");
      serverOptions.add(server -> server.executor(executor));
      return this;
    }

    /**
     * Runs services on the event loop of the stream: the fastest way, for services that never block
     * (such as coroutines).
     */
    public Builder directExecutor() {
      serverOptions.add(ServerBuilder::directExecutor);
      return this;
    }

    /**
     * How many streams may wait to be accepted; default: {@value GrpcStream#DEFAULT_BACKLOG}. With
     * 0, a stream is reset unless an {@link GrpcStream#accept accept} waits for it.
     */
    public Builder backlog(int streams) {
      if (streams < 0) {
        throw new IllegalArgumentException("backlog " + streams + " is negative");
      }
      backlog = streams;
      return this;
    }

    /**
     * How long a stream may wait to be accepted before it is reset; default: 30 seconds. Once it is
     * accepted, the decision about the {@link GrpcConnection} has the same time anew: one that
     * nobody decides about does not stay for ever.
     */
    public Builder backlogTimeout(Duration timeout) {
      Objects.requireNonNull(timeout, "the backlog timeout is null");
      if (timeout.isZero() || timeout.isNegative()) {
        throw new IllegalArgumentException(
            "the backlog timeout must be positive, is " + DurationText.of(timeout));
      }
      backlogTimeout = timeout;
      return this;
    }

    /**
     * What the calls of peers may cost, those that are served and those that {@link
     * GrpcStream#client} channels make; default: {@link CallLimits#defaults()}.
     */
    public Builder callLimits(CallLimits limits) {
      callLimits = Objects.requireNonNull(limits, "the limits of calls are null");
      return this;
    }

    /** Which peers may use which protocols; default: all may. */
    public Builder authorizer(PeerAuthorizer authorizer) {
      Objects.requireNonNull(authorizer, "the authorizer is null");
      return asyncAuthorizer(
          (peer, protocol) -> authorizer.allows(peer, protocol) ? ALLOWED : DENIED);
    }

    /** The same, where that has to be looked up; takes the place of the other. */
    public Builder asyncAuthorizer(AsyncPeerAuthorizer authorizer) {
      this.authorizer = Objects.requireNonNull(authorizer, "the authorizer is null");
      return this;
    }

    /**
     * Adds gRPC's health service, which reports {@code SERVING} for each service that is
     * registered, and for the server (the empty name), until it is told otherwise; see {@link
     * GrpcStream#healthStatus()}.
     */
    public Builder health() {
      if (health == null) {
        health = new HealthStatusManager();
        addService(health.getHealthService());
      }
      return this;
    }

    /** Adds gRPC's server reflection service, v1 and v1alpha. */
    @SuppressWarnings("deprecation") // v1alpha is what many tools still ask for.
    public Builder reflection() {
      addService(io.grpc.protobuf.services.ProtoReflectionServiceV1.newInstance());
      addService(io.grpc.protobuf.services.ProtoReflectionService.newInstance());
      return this;
    }

    /**
     * Adds gRPC's channelz service, by which peers see all channels, sub-channels, servers and
     * sockets of this process, those to peers by their ids: offer it to whom you trust alone.
     */
    public Builder channelz() {
      if (!channelz) {
        channelz = true;
        addService(io.grpc.protobuf.services.ChannelzService.newInstance(CHANNELZ_PAGE));
      }
      return this;
    }

    /** Gives every log line of a call its peer and its method; see {@link CallMdc}. */
    public Builder mdc() {
      mdc = true;
      return this;
    }

    /**
     * Adds {@code extension} to the server, and to the channels that {@link GrpcStream#client}
     * makes.
     */
    public Builder install(PeerExtension extension) {
      Objects.requireNonNull(extension, "the extension is null");
      return configureServer(extension::configureServer)
          .configureClient(extension::configureChannel);
    }

    /**
     * Sets further options of the gRPC server, such as its limits: messages of at most 4 MiB,
     * metadata of at most 8 KiB, 1,024 calls at a time on a stream, keep-alive by a caller every 10
     * seconds at most, also between calls (those of grpc-netty only are there by a cast to {@code
     * NettyServerBuilder}). A fallback registry set here is replaced.
     *
     * <p>What a caller sees of a request over the message limit is grpc-java's decision: {@code
     * RESOURCE_EXHAUSTED}, but {@code CANCELLED} if the service has sent a first response, as the
     * call can then only be reset.
     */
    public Builder configureServer(Consumer<? super ServerBuilder<?>> options) {
      serverOptions.add(requireOptions(options)::accept);
      return this;
    }

    /**
     * Sets options of the channels that {@link GrpcStream#client} makes; may be called repeatedly.
     */
    public Builder configureClient(Consumer<? super ManagedChannelBuilder<?>> options) {
      clientOptions.add(requireOptions(options)::accept);
      return this;
    }

    /**
     * Makes it; call this once, as a health service belongs to one {@link GrpcStream}.
     *
     * @throws IllegalStateException if gRPC or Netty is there in a version that does not work, with
     *     the jar that was found and the version that is needed
     */
    public GrpcStream build() {
      return new GrpcStream(this, new GrpcStreamAddress(), null);
    }

    /** Those that stand around all that the options add, the last one around the others. */
    private List<ServerInterceptor> outerInterceptors() {
      ServerInterceptor failures = new FailureInterceptor(failureHooks, true);
      return mdc ? List.of(failures, CallMdc.interceptor()) : List.of(failures);
    }

    private void applyTo(ServerBuilder<?> server) {
      serverOptions.forEach(option -> option.accept(server));
    }
  }
}
