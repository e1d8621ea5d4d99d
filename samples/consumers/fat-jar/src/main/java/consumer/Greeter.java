package consumer;

import io.grpc.stub.StreamObserver;
import io.grpcstream.greeter.GreeterGrpc;
import io.grpcstream.greeter.HelloReply;
import io.grpcstream.greeter.HelloRequest;
import java.util.ArrayList;
import java.util.List;

/** Answers calls of all four kinds. */
final class Greeter extends GreeterGrpc.GreeterImplBase {
  @Override
  public void sayHello(HelloRequest request, StreamObserver<HelloReply> replies) {
    replies.onNext(reply("Hello, " + request.getName()));
    replies.onCompleted();
  }

  @Override
  public void sayHelloStream(HelloRequest request, StreamObserver<HelloReply> replies) {
    replies.onNext(reply("Hello, " + request.getName()));
    replies.onNext(reply("Bonjour, " + request.getName()));
    replies.onCompleted();
  }

  @Override
  public StreamObserver<HelloRequest> sayHelloMany(StreamObserver<HelloReply> replies) {
    List<String> names = new ArrayList<>();
    return new Requests(replies) {
      @Override
      public void onNext(HelloRequest request) {
        names.add(request.getName());
      }

      @Override
      public void onCompleted() {
        replies.onNext(reply("Hello, " + String.join(" and ", names)));
        super.onCompleted();
      }
    };
  }

  @Override
  public StreamObserver<HelloRequest> chat(StreamObserver<HelloReply> replies) {
    return new Requests(replies) {
      @Override
      public void onNext(HelloRequest request) {
        replies.onNext(reply("Hello, " + request.getName()));
      }
    };
  }

  private static HelloReply reply(String message) {
    return HelloReply.newBuilder().setMessage(message).build();
  }

  /** Requests with whose end the replies end. */
  private abstract static class Requests implements StreamObserver<HelloRequest> {
    private final StreamObserver<HelloReply> replies;

    Requests(StreamObserver<HelloReply> replies) {
      this.replies = replies;
    }

    @Override
    public void onError(Throwable cancelled) {
      replies.onError(cancelled);
    }

    @Override
    public void onCompleted() {
      replies.onCompleted();
    }
  }
}
