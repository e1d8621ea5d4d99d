package io.grpcstream;

import static java.util.concurrent.CompletableFuture.completedFuture;

import io.grpc.ManagedChannel;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Stream;
import io.libp2p.core.Host;
import io.libp2p.core.multistream.ProtocolBinding;
import io.libp2p.transport.implementation.P2PChannelOverNetty;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** The guide's lines for jvm-libp2p: what stands between the markers here stands there, too. */
final class JvmLibp2pExample {
  private JvmLibp2pExample() {}

  // guide: other-stacks/jvm-libp2p
  static ProtocolBinding<Optional<ManagedChannel>> binding(
      Host host, String protocol, GrpcStream grpc) {
    return ProtocolBinding.Companion.createSimple(
        protocol,
        channel -> {
          var its = (io.libp2p.core.Stream) channel;
          Stream stream =
              Stream.over(
                  ((P2PChannelOverNetty) channel).getNettyChannel(),
                  PeerId.fromBytes(host.getPeerId().getBytes()),
                  PeerId.fromBytes(its.remotePeerId().getBytes()), // proven by jvm-libp2p
                  Multiaddr.parse(its.getConnection().remoteAddress().toString()),
                  protocol,
                  its.isInitiator());
          if (its.isInitiator()) {
            return completedFuture(Optional.of(grpc.client(stream)));
          }
          grpc.onStream(stream);
          return completedFuture(Optional.empty());
        });
  }

  static CompletableFuture<ManagedChannel> dial(
      Host host,
      String protocol,
      io.libp2p.core.PeerId peer,
      io.libp2p.core.multiformats.Multiaddr address) {
    return host.<Optional<ManagedChannel>>newStream(List.of(protocol), peer, address)
        .getController()
        .thenApply(Optional::orElseThrow);
  }
  // end
}
