package io.grpcstream.samples.guide;

import io.grpc.BindableService;
import io.grpcstream.GrpcPeer;
import io.grpcstream.GrpcStream;
import io.grpcstream.opentelemetry.PeerTelemetry;
import io.opentelemetry.api.OpenTelemetry;

final class Observing {
  private Observing() {}

  // guide: observing/telemetry
  static GrpcPeer observedPeer(OpenTelemetry openTelemetry, BindableService service) {
    return GrpcPeer.builder()
        .listen("/memory/0")
        .install(PeerTelemetry.create(openTelemetry))
        .serve(GrpcStream.PROTOCOL, GrpcStream.builder().addService(service).mdc())
        .build();
  }
  // end
}
