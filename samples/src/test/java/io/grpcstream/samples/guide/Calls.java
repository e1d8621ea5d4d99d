package io.grpcstream.samples.guide;

import static java.util.concurrent.TimeUnit.SECONDS;

import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.BindableService;
import io.grpc.Channel;
import io.grpc.Context;
import io.grpc.stub.BlockingClientCall;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.grpcstream.GrpcPeer;
import io.grpcstream.GrpcStream;
import io.grpcstream.greeter.GreeterGrpc;
import io.grpcstream.greeter.GreeterGrpc.GreeterBlockingStub;
import io.grpcstream.greeter.HelloReply;
import io.grpcstream.greeter.HelloRequest;

final class Calls {
  private Calls() {}

  // guide: calls/deadline
  static HelloReply greet(GreeterBlockingStub greeter, HelloRequest request) {
    return greeter.withDeadlineAfter(20, SECONDS).sayHello(request); // new for each call
  }

  // end

  // guide: calls/cancel
  static HelloReply firstGreeting(Channel channel, HelloRequest request) throws Exception {
    BlockingClientCall<?, HelloReply> call =
        GreeterGrpc.newBlockingV2Stub(channel).sayHelloStream(request);
    HelloReply first = call.read();
    call.cancel("one is enough", null);
    return first;
  }

  static void giveUp(ListenableFuture<HelloReply> callOfAFutureStub) {
    callOfAFutureStub.cancel(true);
  }

  // end

  // guide: calls/cancelled
  static final class DiligentGreeter extends GreeterGrpc.GreeterImplBase {
    @Override
    public void sayHello(HelloRequest request, StreamObserver<HelloReply> replies) {
      var call = (ServerCallStreamObserver<HelloReply>) replies;
      StringBuilder message = new StringBuilder("Hello");
      for (int i = 0; i < 1_000_000 && !call.isCancelled(); i++) {
        message.append('!'); // nobody waits for the rest once it is cancelled
      }
      if (!Context.current().isCancelled()) { // the same, where the call is not at hand
        replies.onNext(HelloReply.newBuilder().setMessage(message.toString()).build());
        replies.onCompleted();
      }
    }
  }

  // end

  // guide: calls/wait
  static HelloReply greetOnceThere(GreeterBlockingStub greeter, HelloRequest request) {
    return greeter.withWaitForReady().withDeadlineAfter(60, SECONDS).sayHello(request);
  }

  // end

  // guide: calls/size
  private static final int LARGEST = 16 * 1024 * 1024;

  static GrpcPeer peerOfLargeMessages(BindableService service) {
    GrpcStream grpc =
        GrpcStream.builder()
            .addService(service)
            .configureServer(server -> server.maxInboundMessageSize(LARGEST)) // requests
            .build();
    return GrpcPeer.builder()
        .listen("/memory/0")
        .serve(grpc)
        .configureChannels(channel -> channel.maxInboundMessageSize(LARGEST)) // responses
        .build();
  }

  // end

  // guide: calls/gzip
  static HelloReply greetCompressed(GreeterBlockingStub greeter, HelloRequest request) {
    return greeter.withCompression("gzip").sayHello(request);
  }

  static final class CompressingGreeter extends GreeterGrpc.GreeterImplBase {
    @Override
    public void sayHello(HelloRequest request, StreamObserver<HelloReply> replies) {
      ((ServerCallStreamObserver<HelloReply>) replies).setCompression("gzip");
      replies.onNext(HelloReply.newBuilder().setMessage("Hello, " + request.getName()).build());
      replies.onCompleted();
    }
  }
  // end
}
