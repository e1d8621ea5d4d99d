package io.grpcstream.opentelemetry;

import io.grpc.ManagedChannelBuilder;
import io.grpc.ServerBuilder;
import io.grpc.opentelemetry.GrpcOpenTelemetry;
import io.grpc.opentelemetry.InternalGrpcOpenTelemetry;
import io.grpcstream.CallScope;
import io.grpcstream.CallScopeInterceptor;
import io.grpcstream.PeerExtension;
import io.grpcstream.libp2p.Host;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.trace.TracerProvider;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * Traces and metrics of peers, by OpenTelemetry:
 *
 * <pre>{@code
 * PeerTelemetry telemetry = PeerTelemetry.create(openTelemetry);
 * GrpcPeer peer = GrpcPeer.builder()
 *     .listen("/ip4/0.0.0.0/tcp/4001")
 *     .serve("/greeter/1.0.0", GrpcStream.builder().addService(new GreeterService()))
 *     .install(telemetry)
 *     .build();
 * }</pre>
 *
 * <p>Of calls it is gRPC's own, {@link GrpcOpenTelemetry}: the metrics {@code grpc.client.…} and
 * {@code grpc.server.…}, and spans of each call on both sides, which the {@link
 * OpenTelemetry#getPropagators() propagators} join into one trace over all peers that a call
 * passes. The span of a served call is current where the service runs, in coroutines of {@code
 * grpcStream} and {@code grpcService} too, so that calls made from there are its children.
 *
 * <p>Of hosts these are the metrics (durations in seconds; {@code libp2p.direction} is {@code
 * inbound} or {@code outbound}, by who opened; {@code error.type}, the class of the failure, is
 * there where something failed):
 *
 * <table>
 * <caption>Metrics of a host</caption>
 * <tr><th>name</th><th>kind, unit</th><th>what</th><th>attributes</th></tr>
 * <tr><td>{@code libp2p.connection.count}</td><td>up-down counter, {@code {connection}}</td>
 *     <td>live connections</td><td>{@code libp2p.direction}, {@code libp2p.security}</td></tr>
 * <tr><td>{@code libp2p.stream.count}</td><td>up-down counter, {@code {stream}}</td>
 *     <td>open streams that have agreed on a protocol</td>
 *     <td>{@code libp2p.direction}, {@code libp2p.protocol}</td></tr>
 * <tr><td>{@code libp2p.io}</td><td>counter, {@code By}</td>
 *     <td>bytes of connections, encryption and handshakes included</td>
 *     <td>{@code network.io.direction}: {@code receive}, {@code transmit}</td></tr>
 * <tr><td>{@code libp2p.dial.duration}</td><td>histogram, {@code s}</td>
 *     <td>dials of a peer, over all of its addresses</td><td>{@code error.type}</td></tr>
 * <tr><td>{@code libp2p.handshake.duration}</td><td>histogram, {@code s}</td>
 *     <td>from a connected socket to a libp2p connection</td>
 *     <td>{@code libp2p.direction}, {@code libp2p.security}, {@code error.type}</td></tr>
 * <tr><td>{@code libp2p.round_trip.duration}</td><td>histogram, {@code s}</td>
 *     <td>round trips that muxers measure</td><td></td></tr>
 * <tr><td>{@code libp2p.refusals}</td><td>counter, {@code {refusal}}</td>
 *     <td>what was turned away</td><td>{@code libp2p.refusal.reason}: a {@link
 *     io.grpcstream.libp2p.Refusal} in lower case</td></tr>
 * <tr><td>{@code libp2p.event_loop.delay}</td><td>histogram, {@code s}</td>
 *     <td>how late tasks run on event loops, a sample a second on each</td><td></td></tr>
 * </table>
 *
 * <p>No attribute names a peer or an address, so their number is bounded, whoever connects. All
 * hosts with one telemetry count together. Measuring costs nothing where it is not installed.
 * Thread-safe; make one for each {@link OpenTelemetry}, and install it in as many builders as there
 * are.
 */
public final class PeerTelemetry implements PeerExtension {
  private final GrpcOpenTelemetry grpc;
  private final HostMetrics hosts;

  private PeerTelemetry(OpenTelemetry openTelemetry, GrpcOpenTelemetry grpc) {
    this.grpc = grpc;
    hosts = new HostMetrics(openTelemetry.getMeter("io.grpcstream"));
  }

  /** Telemetry with gRPC's default metrics and, where there is a tracer provider, traces. */
  public static PeerTelemetry create(OpenTelemetry openTelemetry) {
    return create(openTelemetry, grpc -> {});
  }

  /**
   * The same with other options of gRPC's part, such as its optional metrics:
   *
   * <pre>{@code
   * PeerTelemetry.create(openTelemetry, grpc -> grpc.enableMetrics(List.of("grpc.lb.pick_first.disconnections")))
   * }</pre>
   */
  public static PeerTelemetry create(
      OpenTelemetry openTelemetry, Consumer<? super GrpcOpenTelemetry.Builder> options) {
    Objects.requireNonNull(openTelemetry, "the OpenTelemetry is null");
    Objects.requireNonNull(options, "the options are null");
    GrpcOpenTelemetry.Builder grpc = GrpcOpenTelemetry.newBuilder().sdk(openTelemetry);
    // Else only an environment variable has it, for the whole process.
    InternalGrpcOpenTelemetry.enableTracing(
        grpc, openTelemetry.getTracerProvider() != TracerProvider.noop());
    options.accept(grpc);
    return new PeerTelemetry(openTelemetry, grpc.build());
  }

  /** Measures the host. */
  @Override
  public void configureHost(Host.Builder host) {
    Objects.requireNonNull(host, "the builder of a host is null").observer(hosts);
  }

  /** Measures and traces the calls that the server serves. */
  @Override
  public void configureServer(ServerBuilder<?> server) {
    Objects.requireNonNull(server, "the builder of a server is null");
    // Added first, it runs last: within gRPC's interceptor, which has made the span current.
    server.intercept(new CallScopeInterceptor(call -> scopeOf(Context.current())));
    grpc.configureServerBuilder(server);
  }

  @SuppressWarnings("MustBeClosed") // Whoever enters a scope closes it.
  private static CallScope scopeOf(Context call) {
    return () -> {
      Scope scope = call.makeCurrent();
      return scope::close;
    };
  }

  /** Measures and traces the calls that are made over the channel. */
  @Override
  public void configureChannel(ManagedChannelBuilder<?> channel) {
    Objects.requireNonNull(channel, "the builder of a channel is null");
    grpc.configureChannelBuilder(channel);
    channel.intercept(new ServedCallAsParent()); // Added last, it runs first.
  }
}
