package io.grpcstream.serving;

import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import java.io.IOException;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import java.util.function.Supplier;

/** The {@link Server} that users see: it starts and ends with all that its owner is. */
public final class GrpcServerView extends Server {
  /** As {@link Server#shutdown} sets no limit to calls in flight. */
  static final Duration NO_LIMIT = Duration.ofDays(365);

  /** As {@link Server#start}. */
  @FunctionalInterface
  public interface Start {
    void start() throws IOException;
  }

  private final Supplier<List<? extends SocketAddress>> addresses;
  private final IntSupplier port;
  private final Server server;
  private final Start start;
  private final Consumer<Duration> shutdown;

  /**
   * A view of {@code server}.
   *
   * @param addresses what it shall say that it listens on
   * @param port the same of a port; -1 for none
   * @param start in place of the server's own
   * @param shutdown in place of the server's own, with the time that calls in flight have
   */
  public GrpcServerView(
      Supplier<List<? extends SocketAddress>> addresses,
      IntSupplier port,
      Server server,
      Start start,
      Consumer<Duration> shutdown) {
    this.addresses = addresses;
    this.port = port;
    this.server = server;
    this.start = start;
    this.shutdown = shutdown;
  }

  @Override
  public Server start() throws IOException {
    start.start();
    return this;
  }

  @Override
  public List<? extends SocketAddress> getListenSockets() {
    return addresses.get();
  }

  @Override
  public int getPort() {
    return port.getAsInt();
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
    shutdown.accept(NO_LIMIT);
    return this;
  }

  @Override
  public Server shutdownNow() {
    shutdown.accept(Duration.ZERO);
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
