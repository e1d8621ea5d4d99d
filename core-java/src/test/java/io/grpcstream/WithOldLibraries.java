package io.grpcstream;

import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.TlsProvider;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * What a user's process does, in a JVM whose class path {@link OldLibrariesTest} has made: says by
 * what it is connected with itself, or why it is not.
 */
final class WithOldLibraries {
  private WithOldLibraries() {}

  /** One word: what to try. */
  public static void main(String[] arguments) throws Exception {
    try {
      switch (arguments[0]) {
        case "default" -> connect();
        case "tls" -> connect("/tls/1.0.0");
        case "boringssl" ->
            Host.builder().security("/tls/1.0.0").tlsProvider(TlsProvider.BORINGSSL).build();
        case "grpc" -> GrpcStream.create().close();
        default -> throw new IllegalArgumentException(arguments[0]);
      }
    } catch (RuntimeException e) {
      System.out.println("failed: " + e.getMessage());
    }
  }

  private static void connect(String... security) throws Exception {
    Host.Builder serving = Host.builder().listen("/ip4/127.0.0.1/tcp/0");
    Host.Builder dialling = Host.builder();
    if (security.length > 0) {
      serving.security(security);
      dialling.security(security);
    }
    try (Host server = serving.build();
        Host client = dialling.build()) {
      for (Host host : List.of(server, client)) {
        host.start().toCompletableFuture().get(30, TimeUnit.SECONDS);
      }
      System.out.println(
          "connected by "
              + client
                  .connect(server.listenAddresses().get(0))
                  .toCompletableFuture()
                  .get(30, TimeUnit.SECONDS)
                  .security());
    }
  }
}
