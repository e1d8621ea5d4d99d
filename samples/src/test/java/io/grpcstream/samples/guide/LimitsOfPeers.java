package io.grpcstream.samples.guide;

import io.grpc.BindableService;
import io.grpcstream.CallLimits;
import io.grpcstream.GrpcPeer;
import io.grpcstream.GrpcStream;
import io.grpcstream.libp2p.ConnectionManager;
import io.grpcstream.libp2p.Limits;
import java.time.Duration;

final class LimitsOfPeers {
  private LimitsOfPeers() {}

  // guide: limits/all
  static GrpcPeer limitedPeer(BindableService service) {
    Limits limits =
        Limits.builder()
            .connections(5_000)
            .inboundStreamsPerPeer(1_000)
            .dialTimeout(Duration.ofSeconds(5))
            .build();
    ConnectionManager manager =
        ConnectionManager.builder()
            .waterMarks(600, 900)
            .idleTimeout(Duration.ofMinutes(10))
            .build();
    CallLimits calls = CallLimits.builder().memory(64L * 1024 * 1024).build();
    return GrpcPeer.builder()
        .listen("/memory/0")
        .configureHost(host -> host.limits(limits).connectionManager(manager))
        .serve(GrpcStream.builder().addService(service).callLimits(calls).build())
        .callLimits(calls) // of the calls that it makes
        .build();
  }
  // end
}
