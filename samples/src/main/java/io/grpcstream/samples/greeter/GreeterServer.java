package io.grpcstream.samples.greeter;

import io.grpc.Status;
import io.grpcstream.GrpcStream;
import io.grpcstream.libp2p.Host;
import java.util.concurrent.ExecutionException;

/** A peer that greets whoever calls, until it is interrupted: {@code mvn -q compile -Pserve}. */
public final class GreeterServer {
  /** The libp2p protocol id under which the peers speak gRPC. */
  static final String PROTOCOL = "/greeter/1.0.0";

  private GreeterServer() {}

  /**
   * Serves.
   *
   * @param args the multiaddr to listen on; default: any free TCP port of this machine
   */
  public static void main(String[] args) throws InterruptedException {
    String address = args.length > 0 ? args[0] : "/ip4/127.0.0.1/tcp/0";

    GrpcStream grpc = GrpcStream.create().registerService(new GreeterService()).serve();
    try {
      Host host = Host.builder().listen(address).build();
      host.handle(PROTOCOL, grpc.handler());
      host.start().toCompletableFuture().get();

      Runtime.getRuntime()
          .addShutdownHook(
              new Thread(
                  () -> {
                    grpc.close();
                    host.close();
                  }));

      System.out.println("serving at " + host.listenAddresses().get(0));
      grpc.grpcServer().awaitTermination();
    } catch (IllegalArgumentException e) {
      System.err.println("cannot listen on \"" + address + "\": " + e.getMessage());
      System.exit(2);
    } catch (ExecutionException e) {
      Status status = GrpcStream.statusOf(e);
      System.err.println(status.getCode() + ": " + status.getDescription());
      System.exit(1);
    }
  }
}
