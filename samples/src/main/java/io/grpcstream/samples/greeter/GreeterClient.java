package io.grpcstream.samples.greeter;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import io.grpcstream.GrpcStream;
import io.grpcstream.greeter.GreeterGrpc;
import io.grpcstream.greeter.HelloReply;
import io.grpcstream.greeter.HelloRequest;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Stream;
import java.util.List;
import java.util.concurrent.ExecutionException;

/**
 * A peer that calls another in all four ways: {@code mvn -q compile -Pcall -Dpeer=<multiaddr>}.
 *
 * <p>For each kind of call it prints the peer that answers, by the id which that peer proved in the
 * handshake, and for each reply the time since its request was sent.
 */
public final class GreeterClient {
  private static final List<String> NAMES = List.of("Ada", "Grace", "Edsger");

  private final GreeterGrpc.GreeterBlockingV2Stub greeter;
  private final PeerId peer;

  private GreeterClient(ManagedChannel channel, PeerId peer) {
    this.greeter = GreeterGrpc.newBlockingV2Stub(channel);
    this.peer = peer;
  }

  /**
   * Calls the peer at the multiaddr {@code args[0]}, which should end in the peer's id: another
   * peer that answers there is then not spoken to.
   */
  public static void main(String[] args) throws InterruptedException, StatusException {
    if (args.length != 1 || args[0].isBlank()) {
      System.err.println("Say whom to call: the multiaddr that the server prints.");
      System.exit(2);
    }

    try (Host host = Host.builder().build()) {
      host.start().toCompletableFuture().get();
      System.out.println("calling as " + host.peerId());

      Multiaddr server = Multiaddr.parse(args[0]);
      Stream stream = host.newStream(server, GreeterServer.PROTOCOL).toCompletableFuture().get();
      ManagedChannel channel = GrpcStream.wrapClient(stream);

      GreeterClient client = new GreeterClient(channel, stream.remotePeer());
      client.unary();
      client.serverStreaming();
      client.clientStreaming();
      client.bidirectional();

      channel.shutdown();
    } catch (IllegalArgumentException e) {
      System.err.println('"' + args[0] + "\" is no multiaddr: " + e.getMessage());
      System.exit(2);
    } catch (ExecutionException e) {
      Status status = GrpcStream.statusOf(e); // what a gRPC call would have failed with
      System.err.println(status.getCode() + ": " + status.getDescription());
      System.exit(1);
    }
  }

  private void unary() throws StatusException {
    announce("unary");
    long sent = System.nanoTime();
    HelloReply reply = greeter.sayHello(request("Ada"));
    print(reply, sent);
  }

  private void serverStreaming() throws StatusException, InterruptedException {
    announce("server streaming");
    long sent = System.nanoTime();
    BlockingClientCall<?, HelloReply> call = greeter.sayHelloStream(request("Ada"));
    while (call.hasNext()) {
      print(call.read(), sent);
    }
  }

  private void clientStreaming() throws StatusException, InterruptedException {
    announce("client streaming");
    BlockingClientCall<HelloRequest, HelloReply> call = greeter.sayHelloMany();
    for (String name : NAMES) {
      call.write(request(name));
    }
    long sent = System.nanoTime();
    call.halfClose();
    while (call.hasNext()) {
      print(call.read(), sent);
    }
  }

  private void bidirectional() throws StatusException, InterruptedException {
    announce("bidirectional");
    BlockingClientCall<HelloRequest, HelloReply> call = greeter.chat();
    for (String name : NAMES) {
      long sent = System.nanoTime();
      call.write(request(name));
      print(call.read(), sent);
    }
    call.halfClose();
    if (call.hasNext()) {
      throw new IllegalStateException("more replies than requests: " + call.read());
    }
  }

  private void announce(String kind) {
    System.out.printf("%-16s  answered by %s%n", kind, peer);
  }

  private static void print(HelloReply reply, long sentNanos) {
    double millis = (System.nanoTime() - sentNanos) / 1e6;
    System.out.printf("  %11.2f ms  %s%n", millis, reply.getMessage());
  }

  private static HelloRequest request(String name) {
    return HelloRequest.newBuilder().setName(name).build();
  }
}
