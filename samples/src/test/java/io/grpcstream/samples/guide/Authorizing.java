package io.grpcstream.samples.guide;

import io.grpc.BindableService;
import io.grpc.Status;
import io.grpcstream.CallAuthorizer;
import io.grpcstream.GrpcPeer;
import io.grpcstream.GrpcStream;
import io.grpcstream.libp2p.ConnectionGater;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

final class Authorizing {
  private Authorizing() {}

  // guide: authorizing/gate
  static GrpcPeer gatedPeer(BindableService service, Set<PeerId> banned) {
    ConnectionGater gater =
        new ConnectionGater() {
          @Override
          public boolean allowPeer(PeerId peer, Multiaddr remoteAddress, boolean initiator) {
            return !banned.contains(peer);
          }
        };
    return GrpcPeer.builder()
        .listen("/memory/0")
        .configureHost(host -> host.gater(gater))
        .serve(GrpcStream.create().registerService(service))
        .build();
  }

  // end

  // guide: authorizing/peers
  static GrpcStream forFriends(BindableService service, Set<PeerId> friends) {
    return GrpcStream.builder()
        .addService(service)
        .authorizer((peer, protocol) -> friends.contains(peer)) // must not block
        .build();
  }

  static GrpcStream forCustomers(
      BindableService service, Function<PeerId, CompletionStage<Boolean>> isCustomer) {
    return GrpcStream.builder()
        .addService(service)
        .asyncAuthorizer((peer, protocol) -> isCustomer.apply(peer)) // may ask a database
        .build();
  }

  // end

  // guide: authorizing/tokens
  static GrpcStream byToken(
      BindableService service, Function<String, CompletionStage<Boolean>> isKnown) {
    CallAuthorizer authorizer =
        (caller, method, headers) -> {
          String token = String.valueOf(headers.get(Channels.TOKEN)).replaceFirst("^Bearer ", "");
          Status refusal =
              Status.UNAUTHENTICATED.withDescription("token unknown here, of " + caller.peerId());
          return isKnown.apply(token).thenApply(known -> known ? Status.OK : refusal);
        };
    return GrpcStream.builder().addService(service).intercept(authorizer.asInterceptor()).build();
  }
  // end
}
