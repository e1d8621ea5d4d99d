package io.grpcstream.samples.guide;

import io.grpcstream.GrpcPeer;
import io.grpcstream.GrpcStream;
import java.time.Duration;

final class Graceful {
  private Graceful() {}

  // guide: shutting-down/main
  public static void main(String[] args) throws Exception {
    GrpcStream services = GrpcStream.builder().addService(new Services.Greeter()).health().build();
    String address = args.length > 0 ? args[0] : "/ip4/0.0.0.0/tcp/4001";
    GrpcPeer peer = GrpcPeer.builder().listen(address).serve(services).build();
    Thread end =
        new Thread(() -> peer.shutdown(Duration.ofSeconds(20)).toCompletableFuture().join());
    Runtime.getRuntime().addShutdownHook(end); // SIGTERM, Ctrl-C
    peer.start().toCompletableFuture().get();
    System.out.println("serving at " + peer.addresses().get(0));
    peer.closed().toCompletableFuture().join();
  }
  // end
}
