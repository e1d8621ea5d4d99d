package io.grpcstream.opentelemetry;

import io.grpc.Channel;
import io.grpc.stub.StreamObserver;
import io.grpcstream.GrpcPeer;
import io.grpcstream.greeter.GreeterGrpc;
import io.grpcstream.greeter.HelloReply;
import io.grpcstream.greeter.HelloRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Peers for one test, all ended with it. */
final class Peers implements AutoCloseable {
  static final String PROTOCOL = "/greeter/1.0.0";

  private final List<GrpcPeer> peers = new ArrayList<>();

  GrpcPeer start(GrpcPeer.Builder builder) {
    GrpcPeer peer = builder.configureHost(host -> host.threads(1)).build();
    peers.add(peer);
    return await(peer.start());
  }

  static Channel channel(GrpcPeer from, GrpcPeer to) {
    return from.channel(to.addresses().get(0), PROTOCOL);
  }

  static String greet(Channel channel, String name) {
    return GreeterGrpc.newBlockingStub(channel)
        .withDeadlineAfter(20, TimeUnit.SECONDS)
        .sayHello(HelloRequest.newBuilder().setName(name).build())
        .getMessage();
  }

  static <T> T await(CompletionStage<T> stage) {
    try {
      return stage.toCompletableFuture().get(20, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new AssertionError("failed: " + e.getCause(), e.getCause());
    } catch (TimeoutException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  static void eventually(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("not within 60 s: " + what);
      }
      LockSupport.parkNanos(1_000_000);
    }
  }

  @Override
  public void close() {
    List<CompletionStage<Void>> ends = new ArrayList<>();
    peers.forEach(peer -> ends.add(peer.shutdown(Duration.ZERO)));
    ends.forEach(Peers::await);
  }

  /** Greets whoever is named. */
  static final class Greeter extends GreeterGrpc.GreeterImplBase {
    @Override
    public void sayHello(HelloRequest request, StreamObserver<HelloReply> observer) {
      observer.onNext(
          HelloReply.newBuilder().setMessage("Hello, " + request.getName() + "!").build());
      observer.onCompleted();
    }
  }
}
