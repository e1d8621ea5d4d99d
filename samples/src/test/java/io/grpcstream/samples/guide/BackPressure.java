package io.grpcstream.samples.guide;

import io.grpc.Channel;
import io.grpc.stub.BlockingClientCall;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.grpcstream.greeter.GreeterGrpc;
import io.grpcstream.greeter.HelloReply;
import io.grpcstream.greeter.HelloRequest;
import java.util.Iterator;
import java.util.function.Consumer;
import java.util.function.Supplier;

final class BackPressure {
  private BackPressure() {}

  // guide: back-pressure/service
  static final class ManyGreetings extends GreeterGrpc.GreeterImplBase {
    private final Supplier<Iterator<HelloReply>> greetings;

    ManyGreetings(Supplier<Iterator<HelloReply>> greetings) {
      this.greetings = greetings;
    }

    @Override
    public void sayHelloStream(HelloRequest request, StreamObserver<HelloReply> replies) {
      var call = (ServerCallStreamObserver<HelloReply>) replies;
      Iterator<HelloReply> rest = greetings.get();
      call.setOnReadyHandler( // called whenever the transport takes more again
          () -> {
            while (call.isReady()) {
              if (!rest.hasNext()) {
                call.onCompleted();
                return;
              }
              call.onNext(rest.next());
            }
          });
    }
  }

  // end

  // guide: back-pressure/caller
  static void readAll(Channel channel, HelloRequest request, Consumer<HelloReply> store)
      throws Exception {
    BlockingClientCall<?, HelloReply> call =
        GreeterGrpc.newBlockingV2Stub(channel).sayHelloStream(request);
    while (call.hasNext()) {
      store.accept(call.read()); // while this takes its time, the service is held up
    }
  }

  // end

  // guide: back-pressure/observer
  static final class OneByOne implements ClientResponseObserver<HelloRequest, HelloReply> {
    private final Consumer<HelloReply> store;
    private ClientCallStreamObserver<HelloRequest> call;

    OneByOne(Consumer<HelloReply> store) {
      this.store = store;
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<HelloRequest> requests) {
      call = requests;
      call.disableAutoRequestWithInitial(1);
    }

    @Override
    public void onNext(HelloReply reply) {
      store.accept(reply);
      call.request(1); // here, or later, on any thread
    }

    @Override
    public void onError(Throwable failure) {}

    @Override
    public void onCompleted() {}
  }
  // end
}
