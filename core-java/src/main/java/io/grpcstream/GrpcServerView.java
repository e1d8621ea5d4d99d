package io.grpcstream;

import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The {@link Server} that users see: starting it is {@link GrpcStream#serve}, shutting it down is
 * shutting down the {@link GrpcStream}.
 */
final class GrpcServerView extends Server {
  /** As {@link Server#shutdown} sets no limit to calls in flight. */
  private static final Duration NO_LIMIT = Duration.ofDays(365);

  private final GrpcStream owner;
  private final Server server;

  GrpcServerView(GrpcStream owner, Server server) {
    this.owner = owner;
    this.server = server;
  }

  @Override
  public Server start() {
    owner.serve();
    return this;
  }

  @Override
  public List<? extends SocketAddress> getListenSockets() {
    return List.of(owner.address());
  }

  @Override
  public List<ServerServiceDefinition> getServices() {
    return server.getServices();
  }

  @Override
  public List<ServerServiceDefinition> getImmutableServices() {
    return server.getImmutableServices();
  }

  @Override
  public List<ServerServiceDefinition> getMutableServices() {
    return server.getMutableServices();
  }

  @Override
  public Server shutdown() {
    owner.shutdown(NO_LIMIT);
    return this;
  }

  @Override
  public Server shutdownNow() {
    owner.shutdown(Duration.ZERO);
    return this;
  }

  @Override
  public boolean isShutdown() {
    return server.isShutdown();
  }

  @Override
  public boolean isTerminated() {
    return server.isTerminated();
  }

  @Override
  public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
    return server.awaitTermination(timeout, unit);
  }

  @Override
  public void awaitTermination() throws InterruptedException {
    server.awaitTermination();
  }
}
