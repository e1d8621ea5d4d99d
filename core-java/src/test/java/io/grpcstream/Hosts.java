package io.grpcstream;

import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.StreamHandler;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** Hosts for tests of gRPC over them, all closed in the end. */
final class Hosts implements AutoCloseable {
  static final String TCP = "/ip4/127.0.0.1/tcp/0";
  static final String MEMORY = "/memory/0";

  private final List<Host> hosts = new ArrayList<>();

  /** Starts a host that listens on {@code address}. */
  Host start(String address) {
    return start(builder -> builder.listen(address));
  }

  /** Starts a host. */
  Host start(UnaryOperator<Host.Builder> options) {
    Host host = options.apply(Host.builder().threads(1)).build();
    hosts.add(host);
    return await(host.start());
  }

  /** The first address of {@code host}. */
  static Multiaddr address(Host host) {
    return host.listenAddresses().get(0);
  }

  /** Opens a stream between two hosts; the one that listens hands it to {@code acceptor}. */
  static Stream open(Host opener, Host listener, StreamHandler acceptor) {
    listener.handle(Wire.PROTOCOL, acceptor);
    return await(opener.newStream(address(listener), Wire.PROTOCOL));
  }

  /**
   * Opens a stream, and waits until the listener has reset it: the reset may overtake the agreement
   * on the protocol, or follow it.
   */
  static void openUntilReset(Host opener, Host listener, String protocol) {
    await(
        opener
            .newStream(address(listener), protocol)
            .handle(
                (stream, failure) -> {
                  if (stream == null) {
                    return CompletableFuture.<Void>completedFuture(null);
                  }
                  stream.channel().read();
                  return stream.closed();
                })
            .thenCompose(end -> end));
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

  /** Waits until {@code condition} holds. */
  static void eventually(String what, BooleanSupplier condition) {
    eventually(() -> what, condition);
  }

  static void eventually(Supplier<String> what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("not within 60 s: " + what.get());
      }
      LockSupport.parkNanos(1_000_000);
    }
  }

  @Override
  public void close() {
    List<CompletionStage<Void>> ends = new ArrayList<>();
    hosts.forEach(host -> ends.add(host.shutdown(Duration.ZERO)));
    ends.forEach(Hosts::await);
  }
}
