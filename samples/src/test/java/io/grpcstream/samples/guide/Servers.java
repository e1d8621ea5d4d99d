package io.grpcstream.samples.guide;

import io.grpc.Attributes;
import io.grpc.BindableService;
import io.grpc.Grpc;
import io.grpc.Server;
import io.grpc.ServerTransportFilter;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpcstream.GrpcPeer;
import io.grpcstream.GrpcStream;
import io.grpcstream.PeerCallLimit;
import io.grpcstream.PeerServerBuilder;
import io.grpcstream.libp2p.Host;
import java.io.IOException;
import java.util.function.Consumer;

final class Servers {
  private Servers() {}

  // guide: servers/several
  static GrpcPeer peerOfTwoProtocols(BindableService forAll, BindableService forUs) {
    return GrpcPeer.builder()
        .listen("/memory/0")
        .serve("/greeter/1.0.0", GrpcStream.builder().addService(forAll))
        .serve(
            "/internal/1.0.0",
            GrpcStream.builder().addService(forUs).intercept(new PeerCallLimit(100)))
        .build();
  }

  // end

  // guide: servers/tools
  static GrpcStream inspectable(BindableService service) {
    return GrpcStream.builder().addService(service).health().reflection().channelz().build();
  }

  static void drain(GrpcStream grpc) {
    grpc.healthStatus().setStatus("greeter.Greeter", ServingStatus.NOT_SERVING);
  }

  // end

  // guide: servers/builder
  static Server serverOf(Host host, BindableService service, Consumer<Object> peers)
      throws IOException {
    return PeerServerBuilder.forProtocol(host, "/greeter/1.0.0")
        .addService(service)
        .addTransportFilter(
            new ServerTransportFilter() {
              @Override
              public Attributes transportReady(Attributes transport) {
                peers.accept(transport.get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR)); // a PeerAddress
                return transport;
              }
            })
        .build()
        .start(); // registers the protocol with the host
  }
  // end
}
