package io.grpcstream.samples.greeter;

import io.grpc.stub.StreamObserver;
import io.grpcstream.PeerContext;
import io.grpcstream.greeter.GreeterGrpc;
import io.grpcstream.greeter.HelloReply;
import io.grpcstream.greeter.HelloRequest;
import io.grpcstream.libp2p.PeerId;
import java.util.ArrayList;
import java.util.List;

/**
 * An ordinary gRPC service; that its callers are libp2p peers shows only where it asks who calls.
 */
final class GreeterService extends GreeterGrpc.GreeterImplBase {
  private static final List<String> GREETINGS = List.of("Hello", "Bonjour", "Hej");

  @Override
  public void sayHello(HelloRequest request, StreamObserver<HelloReply> replies) {
    announce("SayHello");
    replies.onNext(reply("Hello, " + request.getName() + "!"));
    replies.onCompleted();
  }

  @Override
  public void sayHelloStream(HelloRequest request, StreamObserver<HelloReply> replies) {
    announce("SayHelloStream");
    for (String greeting : GREETINGS) {
      replies.onNext(reply(greeting + ", " + request.getName() + "!"));
    }
    replies.onCompleted();
  }

  @Override
  public StreamObserver<HelloRequest> sayHelloMany(StreamObserver<HelloReply> replies) {
    announce("SayHelloMany");
    List<String> names = new ArrayList<>();
    return new Requests(replies) {
      @Override
      public void onNext(HelloRequest request) {
        names.add(request.getName());
      }

      @Override
      public void onCompleted() {
        replies.onNext(reply("Hello, " + String.join(" and ", names) + "!"));
        replies.onCompleted();
      }
    };
  }

  @Override
  public StreamObserver<HelloRequest> chat(StreamObserver<HelloReply> replies) {
    announce("Chat");
    return new Requests(replies) {
      @Override
      public void onNext(HelloRequest request) {
        replies.onNext(reply("Hello, " + request.getName() + "!"));
      }
    };
  }

  /** Says who calls: the peer id that the caller proved in the handshake of its connection. */
  private static void announce(String method) {
    PeerId caller = PeerContext.current().peerId();
    System.out.printf("%-14s  called by %s%n", method, caller);
  }

  private static HelloReply reply(String message) {
    return HelloReply.newBuilder().setMessage(message).build();
  }

  /** The caller's half of a streaming call; unless told otherwise, our half ends with it. */
  private abstract static class Requests implements StreamObserver<HelloRequest> {
    private final StreamObserver<HelloReply> replies;

    Requests(StreamObserver<HelloReply> replies) {
      this.replies = replies;
    }

    @Override
    public void onError(Throwable cancelled) {
      System.out.println("the caller went away: " + cancelled.getMessage());
    }

    @Override
    public void onCompleted() {
      replies.onCompleted();
    }
  }
}
