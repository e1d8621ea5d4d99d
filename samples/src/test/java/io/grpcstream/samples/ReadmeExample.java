package io.grpcstream.samples;

import io.grpc.stub.StreamObserver;
import io.grpcstream.GrpcPeer;
import io.grpcstream.GrpcStream;
import io.grpcstream.PeerContext;
import io.grpcstream.greeter.GreeterGrpc;
import io.grpcstream.greeter.HelloReply;
import io.grpcstream.greeter.HelloRequest;
import io.grpcstream.libp2p.PeerId;

/** The README's example in Java: what stands between the markers here stands there, too. */
final class ReadmeExample {
  private ReadmeExample() {}

  // readme: java
  static class Greeter extends GreeterGrpc.GreeterImplBase {
    @Override
    public void sayHello(HelloRequest request, StreamObserver<HelloReply> replies) {
      PeerId caller = PeerContext.current().peerId(); // proven by the handshake
      String message = "Hello, " + request.getName() + " at " + caller;
      replies.onNext(HelloReply.newBuilder().setMessage(message).build());
      replies.onCompleted();
    }
  }

  static String greet(String name) throws Exception {
    GrpcStream services = GrpcStream.create().registerService(new Greeter());
    try (GrpcPeer server =
            GrpcPeer.builder().listen("/ip4/127.0.0.1/tcp/0").serve(services).build();
        GrpcPeer client = GrpcPeer.builder().build()) {
      server.start().toCompletableFuture().get();
      client.start().toCompletableFuture().get();

      String target = "libp2p:" + server.addresses().get(0); // ends in the server's peer id
      HelloRequest request = HelloRequest.newBuilder().setName(name).build();
      return GreeterGrpc.newBlockingStub(client.channel(target)).sayHello(request).getMessage();
    }
  }
  // end
}
