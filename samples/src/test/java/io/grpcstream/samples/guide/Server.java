// guide: getting-started/server
package io.grpcstream.samples.guide;

import io.grpc.stub.StreamObserver;
import io.grpcstream.GrpcPeer;
import io.grpcstream.GrpcStream;
import io.grpcstream.PeerContext;
import io.grpcstream.greeter.GreeterGrpc;
import io.grpcstream.greeter.HelloReply;
import io.grpcstream.greeter.HelloRequest;
import io.grpcstream.libp2p.PeerId;

public final class Server {
  static final class HelloService extends GreeterGrpc.GreeterImplBase {
    @Override
    public void sayHello(HelloRequest request, StreamObserver<HelloReply> replies) {
      PeerId caller = PeerContext.current().peerId(); // proven by the handshake
      String message = "Hello, " + request.getName() + " at " + caller;
      replies.onNext(HelloReply.newBuilder().setMessage(message).build());
      replies.onCompleted();
    }
  }

  public static void main(String[] args) throws Exception {
    String address = args.length > 0 ? args[0] : "/ip4/127.0.0.1/tcp/4001";
    GrpcStream services = GrpcStream.create().registerService(new HelloService());
    try (GrpcPeer peer = GrpcPeer.builder().listen(address).serve(services).build()) {
      peer.start().toCompletableFuture().get();
      System.out.println("serving at " + peer.addresses().get(0));
      peer.closed().toCompletableFuture().join(); // for ever, or until somebody shuts it down
    }
  }
}
