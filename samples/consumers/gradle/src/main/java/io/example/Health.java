package io.example;

import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpcstream.GrpcPeer;
import io.grpcstream.GrpcStream;

/** Two peers, of which one asks the other how it is. */
public final class Health {
  private Health() {}

  /** Makes the call, and fails if the answer is another than it should be. */
  public static void main(String[] args) throws Exception {
    GrpcStream services = GrpcStream.builder().health().build();
    try (GrpcPeer server =
            GrpcPeer.builder().listen("/ip4/127.0.0.1/tcp/0").serve(services).build();
        GrpcPeer client = GrpcPeer.builder().build()) {
      server.start().toCompletableFuture().get();
      client.start().toCompletableFuture().get();

      ServingStatus status =
          HealthGrpc.newBlockingStub(client.channel("libp2p:" + server.addresses().get(0)))
              .check(HealthCheckRequest.getDefaultInstance())
              .getStatus();
      System.out.println(status);
      if (status != ServingStatus.SERVING) {
        throw new IllegalStateException(status.toString());
      }
    }
  }
}
