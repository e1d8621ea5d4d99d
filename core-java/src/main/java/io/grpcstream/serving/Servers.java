package io.grpcstream.serving;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpc.Attributes;
import io.grpc.HandlerRegistry;
import io.grpc.Server;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.util.MutableHandlerRegistry;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.netty.PeerBudgets;
import io.grpcstream.netty.RefusalLog;
import io.grpcstream.netty.ResponseHeaderLimit;
import io.grpcstream.netty.StreamServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The gRPC servers of one {@code GrpcStream}: the one with the services, and the one that turns
 * away peers who may not use them. Each starts when it is first needed; neither has a thread.
 */
public final class Servers {
  /** Two orders of magnitude above what a client has in flight as a rule. */
  static final int MAX_CONCURRENT_CALLS_PER_STREAM = 1_024;

  /** A client may ask whether we live this often, also between calls. */
  private static final int PERMIT_KEEP_ALIVE_SECONDS = 10;

  static final int MAX_INBOUND_MESSAGE_BYTES = 4 << 20;
  static final int MAX_INBOUND_METADATA_BYTES = 8 << 10;

  private static final Duration DENIED_IDLE = Duration.ofSeconds(10);
  private static final int DENIED_AGE_SECONDS = 30;

  private final MutableHandlerRegistry services = new MutableHandlerRegistry();
  private final StreamServer transports;
  private final Server server;
  private final Function<Duration, StreamServer> denied;
  private final Duration stallTimeout;

  @GuardedBy("this")
  private boolean started;

  @GuardedBy("this")
  private boolean shutdown;

  @GuardedBy("this")
  private @Nullable StreamServer deniedTransports;

  @GuardedBy("this")
  private @Nullable Server deniedServer;

  /**
   * The transports of a server yet to be built, by options that are within our limits.
   *
   * @param address what the server shall say that it listens on
   * @param attributes what the transport over a stream shall have among its attributes
   * @param budgets what each peer may cost
   * @param stallTimeout how long a peer may leave something half sent
   * @param refusals told of what peers may not
   */
  public static StreamServer transports(
      SocketAddress address,
      Function<Stream, Attributes> attributes,
      PeerBudgets budgets,
      Duration stallTimeout,
      RefusalLog refusals) {
    StreamServer transports =
        new StreamServer(address, attributes, budgets, stallTimeout, refusals);
    transports
        .builder()
        .maxInboundMessageSize(MAX_INBOUND_MESSAGE_BYTES)
        .maxInboundMetadataSize(MAX_INBOUND_METADATA_BYTES)
        .maxConcurrentCallsPerConnection(MAX_CONCURRENT_CALLS_PER_STREAM)
        .permitKeepAliveTime(PERMIT_KEEP_ALIVE_SECONDS, TimeUnit.SECONDS)
        .permitKeepAliveWithoutCalls(true);
    return transports;
  }

  /**
   * The servers, not started.
   *
   * @param transports those of the server with the services, whose options are all set
   * @param others services that are not registered here; or null
   * @param denied makes the transports of the other server, with this stall timeout
   * @param around stand around the interceptors that the options add, the last one around all
   */
  public Servers(
      StreamServer transports,
      @Nullable HandlerRegistry others,
      Function<Duration, StreamServer> denied,
      Duration stallTimeout,
      List<ServerInterceptor> around) {
    this.transports = transports;
    this.denied = denied;
    this.stallTimeout = stallTimeout;
    NettyServerBuilder builder = transports.builder();
    around.forEach(builder::intercept);
    server =
        builder
            .fallbackHandlerRegistry(
                others == null ? services : new TwoRegistries(services, others))
            .intercept(new ResponseHeaderLimit()) // The last one added is the first to run.
            .build();
  }

  /** Offers {@code service} from the next call on, in place of one of the same name. */
  public void add(ServerServiceDefinition service) {
    services.addService(service);
  }

  /** The registered services; may be changed at any time, but see {@link #add}. */
  public MutableHandlerRegistry services() {
    return services;
  }

  public Server server() {
    return server;
  }

  synchronized void start() {
    if (!started && !shutdown) {
      started = true;
      start(server);
    }
  }

  private static void start(Server server) {
    try {
      server.start();
    } catch (IOException e) {
      throw new UncheckedIOException("a server without a socket cannot fail to bind", e);
    }
  }

  /** Serves {@code stream}; once shut down, resets it. */
  void serve(Stream stream) {
    start();
    transports.serve(stream);
  }

  /** Answers each call on {@code stream} with {@code PERMISSION_DENIED}, for a short while. */
  void deny(Stream stream) {
    StreamServer turnedAway = deniedTransports();
    if (turnedAway == null) {
      stream.reset();
    } else {
      turnedAway.serve(stream);
    }
  }

  private synchronized @Nullable StreamServer deniedTransports() {
    if (deniedTransports == null && !shutdown) {
      deniedTransports =
          denied.apply(stallTimeout.compareTo(DENIED_IDLE) < 0 ? stallTimeout : DENIED_IDLE);
      deniedServer =
          deniedTransports
              .builder()
              .directExecutor()
              .fallbackHandlerRegistry(new DeniedCalls())
              .maxInboundMetadataSize(MAX_INBOUND_METADATA_BYTES)
              .maxConcurrentCallsPerConnection(1)
              .maxConnectionIdle(DENIED_IDLE.toSeconds(), TimeUnit.SECONDS)
              .maxConnectionAge(DENIED_AGE_SECONDS, TimeUnit.SECONDS)
              .maxConnectionAgeGrace(1, TimeUnit.SECONDS)
              .build();
      start(deniedServer);
    }
    return deniedTransports;
  }

  /** Sends GOAWAY on all streams and closes each when its calls are done. Never blocks. */
  public synchronized void shutdown() {
    shutdown = true;
    server.shutdown();
    if (deniedServer != null) {
      deniedServer.shutdownNow();
    }
  }
}
