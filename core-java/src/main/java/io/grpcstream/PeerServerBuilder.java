package io.grpcstream;

import io.grpc.BindableService;
import io.grpc.ForwardingServerBuilder;
import io.grpc.HandlerRegistry;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.libraries.Libraries;
import io.grpcstream.netty.RefusalLog;
import io.grpcstream.netty.StreamServer;
import io.grpcstream.serving.GrpcStreamAddress;
import io.grpcstream.serving.PeerServer;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A gRPC server that peers reach at a host, by a protocol id: what any code takes that takes a
 * {@link ServerBuilder}.
 *
 * <pre>{@code
 * Server server = PeerServerBuilder.forProtocol(host, "/greeter/1.0.0")
 *     .addService(new GreeterService())
 *     .build()
 *     .start();
 * }</pre>
 *
 * <p>The server that it builds registers its protocol with the host at {@code start()}, and takes
 * it off at {@code shutdown()}; streams that are open then finish their calls. It shuts down with
 * its host, too. {@code getListenSockets()} are the host's addresses, each a {@link PeerAddress},
 * and {@code getPort()} is the TCP port of the first that has one. A host may have several servers,
 * each with its own protocol; starting one on a protocol that is served already fails with {@link
 * java.io.IOException}, and so does starting one on a host that was shut down.
 *
 * <p>Options are gRPC's own, within the limits that {@link GrpcStream} describes; those of
 * transport security cannot be set, as peers have always proven who they are. Whom a call comes
 * from is {@link PeerContext}. Builders are not thread-safe, and build once.
 */
public final class PeerServerBuilder extends ForwardingServerBuilder<PeerServerBuilder> {
  private final Host host;
  private final String protocol;
  private final GrpcStreamAddress address = new GrpcStreamAddress();
  private final GrpcStream.Builder grpc = GrpcStream.builder();
  private final StreamServer transports;
  private boolean built;

  private PeerServerBuilder(Host host, String protocol) {
    Libraries.checkForGrpc();
    this.host = host;
    this.protocol = protocol;
    CallLimits limits = CallLimits.defaults();
    transports =
        GrpcStream.newTransports(
            address, limits.newBudgets(), limits.stallTimeout(), new RefusalLog());
  }

  /** A server of {@code host}, started or yet to be, for the streams of {@code protocol}. */
  public static PeerServerBuilder forProtocol(Host host, String protocol) {
    return new PeerServerBuilder(
        Objects.requireNonNull(host, "the host is null"),
        Objects.requireNonNull(protocol, "the protocol is null"));
  }

  @Override
  protected ServerBuilder<?> delegate() {
    return transports.builder();
  }

  @Override
  public PeerServerBuilder addService(BindableService service) {
    grpc.addService(service);
    return this;
  }

  @Override
  public PeerServerBuilder addService(ServerServiceDefinition service) {
    grpc.addService(service);
    return this;
  }

  @Override
  public PeerServerBuilder fallbackHandlerRegistry(@Nullable HandlerRegistry registry) {
    grpc.otherServices = registry;
    return this;
  }

  /** Which peers may use the server; default: all may. See {@link PeerAuthorizer}. */
  public PeerServerBuilder authorizer(PeerAuthorizer authorizer) {
    grpc.authorizer(authorizer);
    return this;
  }

  /** The same, where that has to be looked up; takes the place of the other. */
  public PeerServerBuilder asyncAuthorizer(AsyncPeerAuthorizer authorizer) {
    grpc.asyncAuthorizer(authorizer);
    return this;
  }

  /** What calls may cost; default: {@link CallLimits#defaults()}. */
  public PeerServerBuilder callLimits(CallLimits limits) {
    grpc.callLimits(limits);
    return this;
  }

  /** Which status a failure becomes; see {@link GrpcStream.Builder#mapFailure}. */
  public PeerServerBuilder mapFailure(Function<? super Throwable, ? extends @Nullable Status> map) {
    grpc.mapFailure(map);
    return this;
  }

  /**
   * Adds gRPC's health service, which reports {@code SERVING} for each service, and for the server
   * (the empty name), until the server shuts down. To set statuses, add the service of a {@link
   * io.grpc.protobuf.services.HealthStatusManager} of yours instead.
   */
  public PeerServerBuilder health() {
    grpc.health();
    return this;
  }

  /** Adds gRPC's server reflection service, v1 and v1alpha. */
  public PeerServerBuilder reflection() {
    grpc.reflection();
    return this;
  }

  /** Adds gRPC's channelz service; see {@link GrpcStream.Builder#channelz()}. */
  public PeerServerBuilder channelz() {
    grpc.channelz();
    return this;
  }

  /** Gives every log line of a call its peer and its method; see {@link CallMdc}. */
  public PeerServerBuilder mdc() {
    grpc.mdc();
    return this;
  }

  /** Adds {@code extension} to this server. */
  public PeerServerBuilder install(PeerExtension extension) {
    Objects.requireNonNull(extension, "the extension is null").configureServer(this);
    return this;
  }

  /**
   * The server, not started.
   *
   * @throws IllegalStateException for the second time
   */
  @Override
  public Server build() {
    if (built) {
      throw new IllegalStateException(
          "the builder of a server of " + protocol + " has built it: use another one");
    }
    built = true;
    GrpcStream serving = new GrpcStream(grpc, address, transports);
    return PeerServer.of(
        host,
        protocol,
        serving.grpcServer(),
        serving.handler(),
        serving::serve,
        serving::shutdown,
        this::addresses,
        this::port);
  }

  private int port() {
    return host.listenAddresses().stream()
        .flatMap(listening -> listening.value("tcp").stream())
        .mapToInt(Integer::parseInt)
        .findFirst()
        .orElse(-1);
  }

  private List<PeerAddress> addresses() {
    return host.listenAddresses().stream()
        .map(listening -> new PeerAddress(host.peerId(), listening))
        .toList();
  }
}
