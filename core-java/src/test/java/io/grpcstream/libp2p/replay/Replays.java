package io.grpcstream.libp2p.replay;

import io.grpcstream.libp2p.Connection;
import io.grpcstream.libp2p.ConnectionListener;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.crypto.PrivateKey;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HexFormat;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** What recording and replaying have in common: a host that does the same in every run. */
final class Replays {
  static final int PATIENCE_MILLIS = 30_000;

  /** Ed25519 signs the same thing in the same way; other kinds of keys do not. */
  private static final PrivateKey IDENTITY =
      PrivateKey.unmarshal(
          HexFormat.of()
              .parseHex(
                  "080112407e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d"
                      + "1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"));

  private Replays() {}

  /** A host for one connection, which has been started. */
  static Host host(String security) throws Exception {
    return await(
        Host.builder()
            .identity(IDENTITY)
            .security(security)
            .cipherProvider(new FixedKeys())
            .listen("/ip4/127.0.0.1/tcp/0")
            .threads(1)
            .build()
            .start());
  }

  /** Where a socket reaches the host. */
  static InetSocketAddress socketAddress(Host host) {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), port(host));
  }

  static int port(Host host) {
    return Integer.parseInt(host.listenAddresses().get(0).value("tcp").orElseThrow());
  }

  /** Where a host reaches a socket that listens. */
  static Multiaddr multiaddr(int port) {
    return Multiaddr.parse("/ip4/127.0.0.1/tcp/" + port);
  }

  /** Tells of the host's next connections. */
  static void onConnected(Host host, Consumer<Connection> listener) {
    host.addListener(
        new ConnectionListener() {
          @Override
          public void onConnected(Connection connection) {
            listener.accept(connection);
          }
        });
  }

  /** Waits until the condition holds. */
  static void await(BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PATIENCE_MILLIS);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError(
            "the condition does not hold after %d ms".formatted(PATIENCE_MILLIS));
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
    }
  }

  static <T> T await(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
  }
}
