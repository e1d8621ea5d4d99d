package io.grpcstream.samples.guide;

import io.grpcstream.GrpcPeer;
import io.grpcstream.GrpcStream;
import io.grpcstream.greeter.GreeterGrpc;
import io.grpcstream.greeter.GreeterGrpc.GreeterBlockingStub;
import io.grpcstream.greeter.GreeterGrpc.GreeterImplBase;
import io.grpcstream.libp2p.Connection;
import io.grpcstream.libp2p.ConnectionListener;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Registration;
import io.grpcstream.libp2p.crypto.PrivateKey;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

final class Nat {
  private Nat() {}

  // guide: nat/device
  static CompletionStage<GrpcPeer> device(PrivateKey key, GreeterImplBase greeter, Multiaddr hub) {
    GrpcPeer peer = // no listen(…): it dials only
        GrpcPeer.builder()
            .identity(key)
            .serve(GrpcStream.create().registerService(greeter))
            .build();
    return peer.start()
        .whenComplete(
            (started, failure) -> {
              if (failure == null) {
                peer.host().keepConnected(hub.peerId().orElseThrow(), List.of(hub));
              }
            });
  }

  // end

  // guide: nat/hub
  static GreeterBlockingStub deviceOf(GrpcPeer hub, PeerId device) {
    return GreeterGrpc.newBlockingStub(hub.channel(device, GrpcStream.PROTOCOL)).withWaitForReady();
  }

  // end

  // guide: nat/events
  static Registration whoComes(Host host, Consumer<PeerId> comes) {
    return host.addListener(
        new ConnectionListener() {
          @Override
          public void onConnected(Connection connection) { // on an event loop
            comes.accept(connection.remotePeer());
          }
        });
  }

  // end

  // guide: nat/accept
  static void serveFriends(GrpcStream grpc, List<PeerId> friends) {
    grpc.accept() // of a GrpcStream whose serve() nobody calls
        .thenAccept(
            connection -> {
              if (friends.contains(connection.remotePeer())) {
                connection.serve();
              } else {
                connection.refuse();
              }
              serveFriends(grpc, friends);
            });
  }
  // end
}
