package io.grpcstream.libp2p.host;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.connection.ConnectionTable;
import io.grpcstream.libp2p.connection.ConnectionUpgrader;
import io.grpcstream.libp2p.connection.DefaultConnection;
import io.grpcstream.libp2p.dial.Dialer;
import io.grpcstream.libp2p.dial.NameResolver;
import io.grpcstream.libp2p.transport.Transports;
import io.grpcstream.libp2p.util.EventLoops;
import io.grpcstream.libp2p.util.Futures;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.FutureListener;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The end of a host, in this order: no new dials, connections or streams; the streams that are open
 * end by themselves or the grace does; connections close; event loops end. Idempotent, thread-safe,
 * and never blocks.
 */
final class HostShutdown {
  private static final Logger logger = LoggerFactory.getLogger(HostShutdown.class);

  private final PeerId self;
  private final Dialer dialer;
  private final Listeners listeners;
  private final ConnectionTable table;
  private final ConnectionUpgrader upgrader;
  private final NameResolver resolver;
  private final Transports transports;
  private final boolean ownsGroup;
  private final CompletableFuture<Void> drained = new CompletableFuture<>();
  private final CompletableFuture<Void> closed = new CompletableFuture<>();
  private final CompletableFuture<Void> done = new CompletableFuture<>();

  @GuardedBy("this")
  private boolean begun;

  HostShutdown(
      PeerId self,
      Dialer dialer,
      Listeners listeners,
      ConnectionTable table,
      ConnectionUpgrader upgrader,
      NameResolver resolver,
      Transports transports,
      boolean ownsGroup) {
    this.self = self;
    this.dialer = dialer;
    this.listeners = listeners;
    this.table = table;
    this.upgrader = upgrader;
    this.resolver = resolver;
    this.transports = transports;
    this.ownsGroup = ownsGroup;
  }

  CompletableFuture<Void> done() {
    return done;
  }

  /** Begins, or shortens the grace of what has begun. */
  CompletableFuture<Void> begin(Duration grace) {
    boolean first;
    synchronized (this) {
      first = !begun;
      begun = true;
    }
    table.close();
    if (!transports.isStarted()) {
      dialer.close();
      resolver.close();
      done.complete(null);
      return done.copy();
    }
    if (first) {
      refuseNew();
    }
    endGraceIn(grace);
    return done.copy();
  }

  private void refuseNew() {
    logger.debug("host {} shuts down", self);
    dialer.close();
    List<CompletableFuture<Void>> ends = new ArrayList<>();
    ends.add(listeners.close());
    ends.addAll(upgrader.abort());
    List<DefaultConnection> connections = table.all();
    List<CompletableFuture<Void>> streams = new ArrayList<>();
    connections.forEach(connection -> streams.add(connection.drain()));
    Futures.relay(all(streams), drained);
    closed.thenRun(this::release);
    if (!ownsGroup) {
      watchGroup();
    }
    drained.whenComplete(
        (v, f) -> {
          for (DefaultConnection connection : connections) {
            connection.close();
            ends.add(connection.closed().toCompletableFuture());
          }
          all(ends).whenComplete((w, g) -> closed.complete(null));
        });
  }

  /** If the caller's event loops end under the host, nothing is left to tell of any end. */
  private void watchGroup() {
    FutureListener<Object> ended =
        f -> {
          drained.complete(null);
          closed.complete(null);
        };
    transports.group().terminationFuture().addListener(ended);
    done.whenComplete((v, f) -> transports.group().terminationFuture().removeListener(ended));
  }

  private void endGraceIn(Duration grace) {
    if (grace.isZero() || grace.isNegative()) {
      drained.complete(null);
      return;
    }
    Future<?> end =
        EventLoops.schedule(transports.group().next(), () -> drained.complete(null), grace);
    if (end == null) {
      // The event loops have ended, by this shutdown or under it: there is nothing to wait for.
      drained.complete(null);
    } else {
      drained.whenComplete((v, f) -> end.cancel(false));
    }
  }

  private void release() {
    resolver.close();
    if (!ownsGroup) {
      done.complete(null);
      return;
    }
    EventLoopGroup group = transports.group();
    group
        .shutdownGracefully(0, 10, TimeUnit.SECONDS)
        .addListener(
            (Future<Object> ended) -> {
              logger.debug("host {} is shut down", self);
              done.complete(null);
            });
  }

  private static CompletableFuture<Void> all(List<CompletableFuture<Void>> futures) {
    return CompletableFuture.allOf(futures.toArray(CompletableFuture[]::new));
  }
}
