package io.grpcstream;

import io.grpc.BindableService;
import io.grpc.ForwardingServerBuilder;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerServiceDefinition;
import io.grpc.testing.integration.AbstractInteropTest;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.netty.GrpcStats;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** grpc-java's own suite for transports, over a {@link GrpcStream}. */
abstract class InteropSuite extends AbstractInteropTest {
  private @Nullable GrpcStream grpc;

  /** Opens a stream that is handed to {@code acceptor} at its other end. */
  abstract Stream openTo(GrpcStream acceptor);

  @Override
  protected ServerBuilder<?> getServerBuilder() {
    return new GrpcStreamServerBuilder()
        .maxInboundMessageSize(AbstractInteropTest.MAX_MESSAGE_SIZE)
        .addStreamTracerFactory(createCustomCensusTracerFactory());
  }

  @Override
  protected ManagedChannelBuilder<?> createChannelBuilder() {
    ManagedChannelBuilder<?> builder =
        GrpcStream.wrapClientBuilder(openTo(Objects.requireNonNull(grpc)));
    GrpcStats.off(builder); // The suite brings its own, which would be replaced.
    return builder
        .maxInboundMessageSize(AbstractInteropTest.MAX_MESSAGE_SIZE)
        .intercept(createCensusStatsClientInterceptor());
  }

  /** Collects what the suite asks of a server, and makes a {@link GrpcStream} of it. */
  private final class GrpcStreamServerBuilder
      extends ForwardingServerBuilder<GrpcStreamServerBuilder> {
    private final GrpcStream.Builder builder = GrpcStream.builder().configureServer(GrpcStats::off);

    @Override
    public GrpcStreamServerBuilder addService(BindableService service) {
      builder.addService(service);
      return this;
    }

    @Override
    public GrpcStreamServerBuilder addService(ServerServiceDefinition service) {
      builder.addService(service);
      return this;
    }

    @Override
    public GrpcStreamServerBuilder maxInboundMessageSize(int bytes) {
      builder.configureServer(server -> server.maxInboundMessageSize(bytes));
      return this;
    }

    @Override
    public GrpcStreamServerBuilder addStreamTracerFactory(
        io.grpc.ServerStreamTracer.Factory factory) {
      builder.configureServer(server -> server.addStreamTracerFactory(factory));
      return this;
    }

    /** Whatever else the suite may come to set would be lost: better to fail. */
    @Override
    protected ServerBuilder<?> delegate() {
      throw new UnsupportedOperationException("not passed on to the GrpcStream");
    }

    @Override
    public Server build() {
      grpc = builder.build();
      return grpc.grpcServer();
    }
  }
}
