package io.grpcstream.netty;

import io.grpc.ChannelCredentials;
import io.grpc.ChannelLogger;
import io.grpc.internal.ClientTransportFactory;
import io.grpc.internal.ConnectionClientTransport;
import io.grpc.internal.GrpcUtil;
import io.grpc.internal.SharedResourceHolder;
import io.grpcstream.targets.PeerTargetAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Collection;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import org.jspecify.annotations.Nullable;

/** Makes the transports of one channel to peers; closed by gRPC when the channel has terminated. */
final class StreamTransportFactory implements ClientTransportFactory {
  private final PeerDials dials;
  private final StreamStarter starter;
  private final ClientTransportFactory netty;
  private final Duration readyTimeout;
  private final Runnable closed;
  private final ScheduledExecutorService timer = SharedResourceHolder.get(GrpcUtil.TIMER_SERVICE);

  /**
   * A factory.
   *
   * @param starter starts grpc-netty's part of each transport
   * @param readyTimeout how long a peer that has agreed to a stream may say nothing on it
   * @param closed runs when the channel has terminated
   */
  StreamTransportFactory(
      PeerDials dials, StreamStarter starter, Duration readyTimeout, Runnable closed) {
    this.dials = dials;
    this.starter = starter;
    netty = starter.newFactory();
    this.readyTimeout = readyTimeout;
    this.closed = closed;
  }

  @Override
  public ConnectionClientTransport newClientTransport(
      SocketAddress address, ClientTransportOptions options, ChannelLogger logger) {
    return new StreamTransport(
        (PeerTargetAddress) address,
        dials,
        starter,
        () -> netty.newClientTransport(address, options, logger),
        readyTimeout);
  }

  @Override
  public ScheduledExecutorService getScheduledExecutorService() {
    return timer;
  }

  /** Not to be had: the credentials are the host's identity. */
  @Override
  public @Nullable SwapChannelCredentialsResult swapChannelCredentials(
      ChannelCredentials credentials) {
    return null;
  }

  @Override
  public Collection<Class<? extends SocketAddress>> getSupportedSocketAddressTypes() {
    return Set.of(PeerTargetAddress.class);
  }

  @Override
  public void close() {
    netty.close();
    SharedResourceHolder.release(GrpcUtil.TIMER_SERVICE, timer);
    closed.run();
  }
}
