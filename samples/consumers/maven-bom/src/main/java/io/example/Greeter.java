package io.example;

import io.example.proto.GreeterGrpc;
import io.example.proto.Greeting;
import io.example.proto.Name;
import io.grpc.stub.StreamObserver;
import io.grpcstream.GrpcPeer;
import io.grpcstream.GrpcStream;
import io.grpcstream.PeerContext;

/** A peer that greets others by their names and the peer ids that they have proven, and one other. */
public final class Greeter extends GreeterGrpc.GreeterImplBase {
  @Override
  public void greet(Name name, StreamObserver<Greeting> replies) {
    String text = "Hello, " + name.getName() + " at " + PeerContext.current().peerId();
    replies.onNext(Greeting.newBuilder().setText(text).build());
    replies.onCompleted();
  }

  /** Makes the call, and fails if the answer is another than it should be. */
  public static void main(String[] args) throws Exception {
    GrpcStream services = GrpcStream.create().registerService(new Greeter());
    try (GrpcPeer server =
            GrpcPeer.builder().listen("/ip4/127.0.0.1/tcp/0").serve(services).build();
        GrpcPeer client = GrpcPeer.builder().build()) {
      server.start().toCompletableFuture().get();
      client.start().toCompletableFuture().get();

      String text =
          GreeterGrpc.newBlockingStub(client.channel("libp2p:" + server.addresses().get(0)))
              .greet(Name.newBuilder().setName("Ada").build())
              .getText();
      System.out.println(text);
      if (!text.equals("Hello, Ada at " + client.peerId())) {
        throw new IllegalStateException(text);
      }
    }
  }
}
