// guide: getting-started/client
package io.grpcstream.samples.guide;

import io.grpcstream.GrpcPeer;
import io.grpcstream.greeter.GreeterGrpc;
import io.grpcstream.greeter.GreeterGrpc.GreeterBlockingStub;
import io.grpcstream.greeter.HelloRequest;
import java.util.concurrent.TimeUnit;

public final class Client {
  public static void main(String[] args) throws Exception {
    try (GrpcPeer peer = GrpcPeer.builder().build()) {
      peer.start().toCompletableFuture().get();
      GreeterBlockingStub greeter = GreeterGrpc.newBlockingStub(peer.channel("libp2p:" + args[0]));
      HelloRequest request = HelloRequest.newBuilder().setName("Ada").build();
      String message =
          greeter.withDeadlineAfter(20, TimeUnit.SECONDS).sayHello(request).getMessage();
      System.out.println(message);
    }
  }
}
