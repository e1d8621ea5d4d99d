package consumer;

import io.grpcstream.GrpcPeer;
import java.util.List;

/** With Netty 4.1 no peer is built, and whoever tries is told what to write where. */
public final class Refused {
  private Refused() {}

  public static void main(String[] args) {
    try {
      GrpcPeer.builder().build();
    } catch (IllegalStateException e) {
      System.out.println(e.getMessage());
      for (String part :
          List.of(
              "netty-common-4.1.",
              "where 4.2.1.Final or later is needed",
              "<artifactId>grpc-stream-bom</artifactId>",
              "<netty.version>4.2.")) {
        if (!e.getMessage().contains(part)) {
          throw new AssertionError("does not say " + part, e);
        }
      }
      return;
    }
    throw new AssertionError("was built with Netty 4.1");
  }
}
