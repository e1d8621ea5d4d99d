package io.grpcstream;

import io.grpc.ChannelCredentials;
import io.grpcstream.libp2p.Host;
import io.grpcstream.netty.HostChannelCredentials;
import java.util.Objects;

/**
 * What makes gRPC's own {@link io.grpc.Grpc#newChannelBuilder} take {@code libp2p:} targets: the
 * host whose identity and connections the channel uses. Such a channel is that of {@link
 * PeerChannelBuilder#forTarget}, with default limits.
 *
 * <pre>{@code
 * Grpc.newChannelBuilder("libp2p:/ip4/…/tcp/4001/p2p/12D3…", PeerChannelCredentials.create(host))
 * }</pre>
 */
public final class PeerChannelCredentials {
  private PeerChannelCredentials() {}

  /**
   * Credentials of {@code host}, started or yet to be; a {@link
   * io.grpc.CompositeChannelCredentials} may add a token for each call.
   */
  public static ChannelCredentials create(Host host) {
    return of(Objects.requireNonNull(host, "the host is null"));
  }

  static HostChannelCredentials of(Host host) {
    CallLimits limits = CallLimits.defaults();
    return new HostChannelCredentials(
        host,
        PeerContext::attributesOf,
        GrpcStream::statusOf,
        limits::newBudgets,
        limits.stallTimeout());
  }
}
