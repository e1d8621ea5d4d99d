package io.grpcstream.netty;

import io.grpc.Attributes;
import io.grpc.CallCredentials;
import io.grpc.ChannelCredentials;
import io.grpc.Status;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Stream;
import java.time.Duration;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The identity of a host, by which it authenticates itself to peers and they to it; and with it the
 * host itself, whose connections the channels with these credentials use.
 */
public final class HostChannelCredentials extends ChannelCredentials {
  private final Host host;
  private final Function<Stream, Attributes> attributes;
  private final Function<Throwable, Status> statusOf;
  private final Supplier<PeerBudgets> budgets;
  private final Duration stallTimeout;

  /**
   * Credentials.
   *
   * @param attributes what the transport over a stream shall have among its attributes
   * @param statusOf what a failure of the host is to a gRPC user
   * @param budgets what each peer that is called may cost, for one builder of channels
   * @param stallTimeout how long a peer may hold with a message what other peers wait for
   */
  public HostChannelCredentials(
      Host host,
      Function<Stream, Attributes> attributes,
      Function<Throwable, Status> statusOf,
      Supplier<PeerBudgets> budgets,
      Duration stallTimeout) {
    this.host = host;
    this.attributes = attributes;
    this.statusOf = statusOf;
    this.budgets = budgets;
    this.stallTimeout = stallTimeout;
  }

  Host host() {
    return host;
  }

  Function<Stream, Attributes> attributes() {
    return attributes;
  }

  Function<Throwable, Status> statusOf() {
    return statusOf;
  }

  /**
   * A builder of channels with these credentials.
   *
   * @param perCall what each call is authorized by, where it names nothing itself; or null
   * @throws IllegalArgumentException if {@code target} is none
   */
  public ManagedPeerChannelBuilder newChannelBuilder(
      String target, @Nullable CallCredentials perCall) {
    return new ManagedPeerChannelBuilder(target, this, perCall, budgets.get(), stallTimeout);
  }

  @Override
  public ChannelCredentials withoutBearerTokens() {
    return this;
  }
}
