package io.grpcstream.samples;

import io.grpc.ManagedChannel;
import io.grpc.stub.StreamObserver;
import io.grpcstream.GrpcStream;
import io.grpcstream.PeerContext;
import io.grpcstream.greeter.GreeterGrpc;
import io.grpcstream.greeter.HelloReply;
import io.grpcstream.greeter.HelloRequest;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Stream;

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
    try (GrpcStream grpc = GrpcStream.create().registerService(new Greeter()).serve();
        Host server = Host.builder().listen("/ip4/127.0.0.1/tcp/0").build();
        Host client = Host.builder().build()) {
      server.handle("/greeter/1.0.0", grpc.handler());
      server.start().toCompletableFuture().get();
      client.start().toCompletableFuture().get();

      Multiaddr address = server.listenAddresses().get(0); // ends in the server's peer id
      Stream stream = client.newStream(address, "/greeter/1.0.0").toCompletableFuture().get();
      ManagedChannel channel = GrpcStream.wrapClient(stream);
      HelloRequest request = HelloRequest.newBuilder().setName(name).build();
      HelloReply reply = GreeterGrpc.newBlockingStub(channel).sayHello(request);
      channel.shutdown(); // and with it the stream
      return reply.getMessage();
    }
  }
  // end
}
