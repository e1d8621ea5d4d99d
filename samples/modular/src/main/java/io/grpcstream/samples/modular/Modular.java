package io.grpcstream.samples.modular;

import io.grpc.Channel;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.grpcstream.GrpcPeer;
import io.grpcstream.GrpcStream;
import io.grpcstream.PeerChannelCredentials;
import java.util.concurrent.ExecutionException;

/** Two peers, of which one asks the other how it is. */
public final class Modular {
  private Modular() {}

  /**
   * Makes the calls and prints the answers.
   *
   * @param args not used
   */
  public static void main(String[] args) throws ExecutionException, InterruptedException {
    GrpcStream grpc = GrpcStream.builder().health().build();
    try (GrpcPeer server = GrpcPeer.builder().listen("/ip4/127.0.0.1/tcp/0").serve(grpc).build();
        GrpcPeer client = GrpcPeer.builder().build()) {
      server.start().toCompletableFuture().get();
      client.start().toCompletableFuture().get();

      String target = "libp2p:" + server.addresses().get(0);
      print(client.channel(target));
      // The same by gRPC's own builder, which finds us as a service of the module.
      ManagedChannel channel =
          Grpc.newChannelBuilder(target, PeerChannelCredentials.create(client.host())).build();
      print(channel);
      channel.shutdown();
    }
  }

  private static void print(Channel channel) {
    System.out.println(
        HealthGrpc.newBlockingStub(channel)
            .check(HealthCheckRequest.getDefaultInstance())
            .getStatus());
  }
}
