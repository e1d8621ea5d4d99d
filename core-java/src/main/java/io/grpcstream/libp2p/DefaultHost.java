package io.grpcstream.libp2p;

import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.protocol.ping.PingProtocol;
import io.grpcstream.libp2p.transport.tcp.TcpTransport;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The {@link Host}: puts the parts together and keeps its life cycle. */
final class DefaultHost implements Host {
  /** What {@link #close()} grants open streams. */
  static final Duration CLOSE_GRACE = Duration.ofSeconds(5);

  private static final Logger logger = LoggerFactory.getLogger(Host.class);

  private final HostConfig config;
  private final HostContext context;
  private final Dialer dialer;
  private final Listeners listeners;
  private final IdentifyExchange identify;
  private final HostShutdown shutdown;
  private @Nullable CompletableFuture<Host> started;

  DefaultHost(HostConfig config) {
    this.config = config;
    PrivateKey identity = config.identity != null ? config.identity : PrivateKey.generateEd25519();
    PeerId self = PeerId.of(identity.publicKey());
    for (Multiaddr address : config.listenAddresses) {
      if (!address.peerId().orElse(self).equals(self)) {
        throw new IllegalArgumentException("cannot listen on " + address + " as the peer " + self);
      }
    }
    context =
        new HostContext(
            self, config, config.securityOf(identity), new NameResolver(threads(self, "dns")));
    dialer = new Dialer(context);
    listeners = new Listeners(context);
    identify =
        new IdentifyExchange(
            context, identity.publicKey(), config.agentVersion, listeners::addresses);
    identify.serve();
    context.table.addListener(identify);
    context.handlers.put(PingProtocol.ID, PingProtocol.responder());
    shutdown = new HostShutdown(context, dialer, listeners, config.group == null);
  }

  private static DefaultThreadFactory threads(PeerId self, String kind) {
    String id = self.toString();
    String tail = id.substring(Math.max(0, id.length() - 6));
    return new DefaultThreadFactory("grpcstream-" + kind + "-" + tail, true);
  }

  @Override
  public synchronized CompletionStage<Host> start() {
    if (context.closing) {
      return CompletableFuture.failedFuture(
          new HostClosedException(context.self, "cannot be started again"));
    }
    if (started != null) {
      return started;
    }
    EventLoopGroup group = config.group;
    context.setGroup(
        group != null
            ? group
            : new MultiThreadIoEventLoopGroup(
                config.threads, threads(context.self, "host"), TcpTransport.ioHandlerFactory()));
    CompletableFuture<Host> result = new CompletableFuture<>();
    started = result;
    listeners
        .listen(config.listenAddresses)
        .whenComplete(
            (done, failure) -> {
              if (failure != null) {
                Throwable cause = Futures.unwrap(failure);
                shutdown
                    .begin(Duration.ZERO)
                    .whenComplete((v, f) -> result.completeExceptionally(cause));
              } else {
                logger.debug("host {} listens on {}", context.self, listenAddresses());
                result.complete(this);
              }
            });
    return result;
  }

  @Override
  public PeerId peerId() {
    return context.self;
  }

  @Override
  public List<Multiaddr> listenAddresses() {
    return listeners.addresses();
  }

  @Override
  public void handle(String protocol, StreamHandler handler) {
    context.handlers.put(protocol, handler);
    identify.changed();
  }

  @Override
  public boolean unhandle(String protocol) {
    boolean removed = context.handlers.remove(protocol);
    if (removed) {
      identify.changed();
    }
    return removed;
  }

  @Override
  public List<String> protocols() {
    return context.handlers.protocols();
  }

  @Override
  public CompletionStage<Connection> connect(Multiaddr address) {
    requireAddress(address);
    return connection(() -> dialer.connect(address));
  }

  @Override
  public CompletionStage<Connection> connect(PeerId peer) {
    requirePeer(peer);
    return connection(() -> dialer.connect(peer));
  }

  private CompletionStage<Connection> connection(
      Supplier<CompletableFuture<DefaultConnection>> connect) {
    CompletableFuture<Connection> result = new CompletableFuture<>();
    Futures.relay(ifStarted(connect).get(), result);
    return result;
  }

  @Override
  public CompletionStage<Stream> newStream(Multiaddr address, String... protocols) {
    requireAddress(address);
    return stream(() -> dialer.connect(address), protocols);
  }

  @Override
  public CompletionStage<Stream> newStream(PeerId peer, String... protocols) {
    requirePeer(peer);
    return stream(() -> dialer.connect(peer), protocols);
  }

  private CompletableFuture<Stream> stream(
      Supplier<CompletableFuture<DefaultConnection>> connect, String... protocols) {
    return StreamOpener.open(context, ifStarted(connect), ProtocolHandlers.check(protocols));
  }

  private Supplier<CompletableFuture<DefaultConnection>> ifStarted(
      Supplier<CompletableFuture<DefaultConnection>> connect) {
    if (context.hasGroup() || context.closing) {
      return connect;
    }
    return () -> CompletableFuture.failedFuture(new HostNotStartedException(context.self));
  }

  @Override
  public List<Connection> connections() {
    return List.copyOf(context.table.all());
  }

  @Override
  public List<Connection> connections(PeerId peer) {
    return List.copyOf(context.table.of(requirePeer(peer)));
  }

  @Override
  public void addAddress(PeerId peer, Multiaddr address) {
    context.book.add(requirePeer(peer), requireAddress(address));
  }

  @Override
  public boolean removeAddress(PeerId peer, Multiaddr address) {
    return context.book.remove(requirePeer(peer), requireAddress(address));
  }

  @Override
  public List<Multiaddr> addresses(PeerId peer) {
    return context.book.addresses(requirePeer(peer));
  }

  @Override
  public CompletionStage<Duration> ping(PeerId peer) {
    requirePeer(peer);
    CompletableFuture<Duration> result = new CompletableFuture<>();
    CompletableFuture<Stream> stream = stream(() -> dialer.connect(peer), PingProtocol.ID);
    result.whenComplete((roundTrip, failure) -> stream.cancel(false));
    stream.whenComplete(
        (opened, failure) -> {
          if (opened == null) {
            result.completeExceptionally(Futures.unwrap(failure));
          } else {
            result.whenComplete((roundTrip, f) -> opened.close());
            Futures.relay(PingProtocol.ping(opened), result);
          }
        });
    return result;
  }

  @Override
  public ConnectionListener.Registration addListener(ConnectionListener listener) {
    return context.table.addListener(
        Objects.requireNonNull(listener, "the connection listener is null"));
  }

  @Override
  public HostStats stats() {
    return context.resources.stats();
  }

  @Override
  public Limits limits() {
    return context.limits;
  }

  @Override
  public synchronized CompletionStage<Void> shutdown(Duration grace) {
    return shutdown.begin(Objects.requireNonNull(grace, "the grace is null"));
  }

  @Override
  public CompletionStage<Void> closed() {
    return shutdown.done().minimalCompletionStage();
  }

  @Override
  public void close() {
    CompletableFuture<Void> done = shutdown(CLOSE_GRACE).toCompletableFuture();
    if (context.isOnEventLoop()) {
      return;
    }
    try {
      done.get();
    } catch (InterruptedException e) {
      shutdown(Duration.ZERO);
      Thread.currentThread().interrupt();
    } catch (ExecutionException e) {
      throw new IllegalStateException(
          "host " + context.self + " failed to shut down", e.getCause());
    }
  }

  private static PeerId requirePeer(PeerId peer) {
    return Objects.requireNonNull(peer, "the peer is null");
  }

  private static Multiaddr requireAddress(Multiaddr address) {
    return Objects.requireNonNull(address, "the address is null");
  }

  @Override
  public String toString() {
    return "host " + context.self;
  }
}
