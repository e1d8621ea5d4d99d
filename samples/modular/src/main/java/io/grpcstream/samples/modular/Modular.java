package io.grpcstream.samples.modular;

import io.grpc.ManagedChannel;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.grpcstream.GrpcStream;
import io.grpcstream.libp2p.Host;
import java.util.concurrent.ExecutionException;

/** Two hosts, of which one asks the other how it is. */
public final class Modular {
  private static final String PROTOCOL = "/health/1.0.0";

  private Modular() {}

  /**
   * Makes the call and prints the answer.
   *
   * @param args not used
   */
  public static void main(String[] args) throws ExecutionException, InterruptedException {
    try (Host server = Host.builder().listen("/ip4/127.0.0.1/tcp/0").build();
        Host client = Host.builder().build();
        GrpcStream grpc = GrpcStream.builder().health().build().serve()) {
      server.handle(PROTOCOL, grpc.handler());
      server.start().toCompletableFuture().get();
      client.start().toCompletableFuture().get();

      ManagedChannel channel =
          GrpcStream.dial(client, server.listenAddresses().get(0), PROTOCOL)
              .toCompletableFuture()
              .get();
      System.out.println(
          HealthGrpc.newBlockingStub(channel)
              .check(HealthCheckRequest.getDefaultInstance())
              .getStatus());
      channel.shutdown();
    }
  }
}
