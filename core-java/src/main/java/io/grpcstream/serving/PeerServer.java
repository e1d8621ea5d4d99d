package io.grpcstream.serving;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpc.Server;
import io.grpcstream.libp2p.ConnectionListener;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.StreamHandler;
import java.io.IOException;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The life of a server on one protocol of a host: from its start to its shutdown, or the host's.
 */
public final class PeerServer implements ConnectionListener {
  private final Host host;
  private final String protocol;
  private final StreamHandler handler;
  private final Runnable serve;
  private final Function<Duration, CompletionStage<Void>> shutdown;

  @GuardedBy("this")
  private ConnectionListener.@Nullable Registration listening;

  @GuardedBy("this")
  private boolean started;

  @GuardedBy("this")
  private boolean over;

  private volatile boolean hostEnded;

  private PeerServer(
      Host host,
      String protocol,
      StreamHandler handler,
      Runnable serve,
      Function<Duration, CompletionStage<Void>> shutdown) {
    this.host = host;
    this.protocol = protocol;
    this.handler = handler;
    this.serve = serve;
    this.shutdown = shutdown;
  }

  /**
   * A server, not started.
   *
   * @param server gRPC's own
   * @param handler takes its streams
   * @param serve begins to serve them
   * @param shutdown ends that, with the time that calls in flight have
   * @param addresses what it shall say that it listens on
   * @param port the same of a port; -1 for none
   */
  public static Server of(
      Host host,
      String protocol,
      Server server,
      StreamHandler handler,
      Runnable serve,
      Function<Duration, CompletionStage<Void>> shutdown,
      Supplier<List<? extends SocketAddress>> addresses,
      IntSupplier port) {
    PeerServer life = new PeerServer(host, protocol, handler, serve, shutdown);
    return new GrpcServerView(addresses, port, server, life::start, life::shutdown);
  }

  private void start() throws IOException {
    synchronized (this) {
      if (over) {
        throw new IllegalStateException("the server of " + protocol + " was shut down");
      }
      if (started) {
        throw new IllegalStateException("the server of " + protocol + " was started before");
      }
      if (!host.handleIfAbsent(protocol, handler)) {
        throw new IOException("host " + host.peerId() + " serves " + protocol + " already");
      }
      started = true;
    }
    ConnectionListener.Registration registration = host.addListener(this);
    boolean ended;
    synchronized (this) {
      listening = registration;
      ended = over;
    }
    if (!ended) {
      serve.run();
      return;
    }
    registration.close();
    if (hostEnded) {
      throw new IOException(
          "host " + host.peerId() + " was shut down, and serves " + protocol + " no more");
    }
  }

  private void shutdown(Duration grace) {
    ConnectionListener.Registration registration;
    synchronized (this) {
      over = true;
      registration = listening;
      if (started) {
        host.unhandle(protocol, handler);
      }
    }
    if (registration != null) {
      registration.close();
    }
    var unused = shutdown.apply(grace);
  }

  /** Its streams end with the host's, which gives calls in flight a grace of its own. */
  @Override
  public void onHostShutdown() {
    hostEnded = true;
    shutdown(GrpcServerView.NO_LIMIT);
  }
}
