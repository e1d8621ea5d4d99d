package io.grpcstream.samples.guide;

import io.grpc.BindableService;
import io.grpcstream.GrpcPeer;
import io.grpcstream.GrpcStream;
import io.grpcstream.greeter.GreeterGrpc;
import io.grpcstream.greeter.HelloRequest;

final class Testing {
  private Testing() {}

  // guide: testing/java
  static String greetInMemory(BindableService service, String name) throws Exception {
    GrpcStream services = GrpcStream.create().registerService(service);
    try (GrpcPeer server = GrpcPeer.builder().listen("/memory/0").serve(services).build();
        GrpcPeer caller = GrpcPeer.builder().build()) {
      server.start().toCompletableFuture().get();
      caller.start().toCompletableFuture().get();
      String target = "libp2p:" + server.addresses().get(0);
      HelloRequest request = HelloRequest.newBuilder().setName(name).build();
      return GreeterGrpc.newBlockingStub(caller.channel(target)).sayHello(request).getMessage();
    }
  }
  // end
}
