package consumer;

import io.grpc.stub.StreamObserver;
import io.grpcstream.GrpcPeer;
import io.grpcstream.GrpcStream;
import io.grpcstream.greeter.GreeterGrpc;
import io.grpcstream.greeter.HelloReply;
import io.grpcstream.greeter.HelloRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Two peers, of which one calls the other: all four kinds, secured by the protocol that is named. */
public final class Main {
  private Main() {}

  public static void main(String[] args) throws Exception {
    GrpcStream services = GrpcStream.create().registerService(new Greeter());
    try (GrpcPeer server =
            GrpcPeer.builder().listen("/ip4/127.0.0.1/tcp/0").serve(services).build();
        GrpcPeer client = GrpcPeer.builder().build()) {
      server.start().toCompletableFuture().get();
      client.start().toCompletableFuture().get();
      var channel = client.channel("libp2p:" + server.addresses().get(0));

      var blocking = GreeterGrpc.newBlockingStub(channel).withDeadlineAfter(1, TimeUnit.MINUTES);
      expect(List.of("Hello, Ada"), List.of(blocking.sayHello(name("Ada")).getMessage()));
      List<String> several = new ArrayList<>();
      blocking.sayHelloStream(name("Ada")).forEachRemaining(reply -> several.add(reply.getMessage()));
      expect(List.of("Hello, Ada", "Bonjour, Ada"), several);

      var stub = GreeterGrpc.newStub(channel).withDeadlineAfter(1, TimeUnit.MINUTES);
      Replies one = new Replies();
      send(stub.sayHelloMany(one), "Ada", "Grace");
      expect(List.of("Hello, Ada and Grace"), one.all.get());
      Replies each = new Replies();
      send(stub.chat(each), "Ada", "Grace");
      expect(List.of("Hello, Ada", "Hello, Grace"), each.all.get());

      String security = client.host().connections().get(0).security();
      System.out.println("four kinds of calls, secured by " + security);
      expect(args[0], security); // BoringSSL has come along, too.
    }
  }

  private static HelloRequest name(String name) {
    return HelloRequest.newBuilder().setName(name).build();
  }

  private static void send(StreamObserver<HelloRequest> requests, String... names) {
    for (String name : names) {
      requests.onNext(name(name));
    }
    requests.onCompleted();
  }

  private static void expect(Object expected, Object found) {
    if (!expected.equals(found)) {
      throw new AssertionError("expected " + expected + ", found " + found);
    }
  }

  /** The texts of all replies of one call. */
  private static final class Replies implements StreamObserver<HelloReply> {
    final CompletableFuture<List<String>> all = new CompletableFuture<>();
    private final List<String> soFar = new ArrayList<>();

    @Override
    public void onNext(HelloReply reply) {
      soFar.add(reply.getMessage());
    }

    @Override
    public void onError(Throwable failure) {
      all.completeExceptionally(failure);
    }

    @Override
    public void onCompleted() {
      all.complete(soFar);
    }
  }
}
