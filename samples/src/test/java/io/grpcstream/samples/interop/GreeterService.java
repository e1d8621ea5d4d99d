package io.grpcstream.samples.interop;

import io.grpc.stub.StreamObserver;
import io.grpcstream.greeter.GreeterGrpc;
import io.grpcstream.greeter.HelloReply;
import io.grpcstream.greeter.HelloRequest;
import java.util.ArrayList;
import java.util.List;

/** The greeter of the samples, without a word on standard output. */
final class GreeterService extends GreeterGrpc.GreeterImplBase {
  @Override
  public void sayHello(HelloRequest request, StreamObserver<HelloReply> replies) {
    replies.onNext(greeting("Hello", request.getName()));
    replies.onCompleted();
  }

  @Override
  public void sayHelloStream(HelloRequest request, StreamObserver<HelloReply> replies) {
    for (String word : List.of("Hello", "Bonjour", "Hej")) {
      replies.onNext(greeting(word, request.getName()));
    }
    replies.onCompleted();
  }

  @Override
  public StreamObserver<HelloRequest> sayHelloMany(StreamObserver<HelloReply> replies) {
    List<String> names = new ArrayList<>();
    return new StreamObserver<>() {
      @Override
      public void onNext(HelloRequest request) {
        names.add(request.getName());
      }

      @Override
      public void onError(Throwable cancelled) {}

      @Override
      public void onCompleted() {
        replies.onNext(greeting("Hello", String.join(" and ", names)));
        replies.onCompleted();
      }
    };
  }

  @Override
  public StreamObserver<HelloRequest> chat(StreamObserver<HelloReply> replies) {
    return new StreamObserver<>() {
      @Override
      public void onNext(HelloRequest request) {
        replies.onNext(greeting("Hello", request.getName()));
      }

      @Override
      public void onError(Throwable cancelled) {}

      @Override
      public void onCompleted() {
        replies.onCompleted();
      }
    };
  }

  private static HelloReply greeting(String word, String name) {
    return HelloReply.newBuilder().setMessage(word + ", " + name + "!").build();
  }
}
