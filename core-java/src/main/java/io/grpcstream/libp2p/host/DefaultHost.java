package io.grpcstream.libp2p.host;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpcstream.libp2p.Connection;
import io.grpcstream.libp2p.ConnectionGater;
import io.grpcstream.libp2p.ConnectionListener;
import io.grpcstream.libp2p.ConnectionManager;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.HostClosedException;
import io.grpcstream.libp2p.HostNotStartedException;
import io.grpcstream.libp2p.HostStats;
import io.grpcstream.libp2p.Limits;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.Registration;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.StreamHandler;
import io.grpcstream.libp2p.addresses.AddressBook;
import io.grpcstream.libp2p.connection.ConnectionTable;
import io.grpcstream.libp2p.connection.ConnectionUpgrader;
import io.grpcstream.libp2p.connection.DefaultConnection;
import io.grpcstream.libp2p.connection.ProtocolHandlers;
import io.grpcstream.libp2p.connection.StreamRules;
import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.dial.Dialer;
import io.grpcstream.libp2p.dial.NameResolver;
import io.grpcstream.libp2p.dial.StreamDial;
import io.grpcstream.libp2p.mux.yamux.YamuxProtocol;
import io.grpcstream.libp2p.protocol.identify.IdentifyProtocol;
import io.grpcstream.libp2p.protocol.ping.PingProtocol;
import io.grpcstream.libp2p.resources.Observers;
import io.grpcstream.libp2p.resources.Refusals;
import io.grpcstream.libp2p.resources.ResourceManager;
import io.grpcstream.libp2p.security.SecurityProtocol;
import io.grpcstream.libp2p.transport.Transports;
import io.grpcstream.libp2p.transport.memory.MemoryTransport;
import io.grpcstream.libp2p.transport.tcp.TcpTransport;
import io.grpcstream.libp2p.upkeep.ConnectionTrimmer;
import io.grpcstream.libp2p.upkeep.KeptPeers;
import io.grpcstream.libp2p.upkeep.ProtectedPeers;
import io.grpcstream.libp2p.util.Futures;
import io.grpcstream.libp2p.util.HostThread;
import io.grpcstream.libp2p.util.StageFuture;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The {@link Host}: puts the parts together and keeps its life cycle. It is long as the API is:
 * what a host does is done by the parts.
 */
public final class DefaultHost implements Host {
  /** What {@link #close()} grants open streams. */
  static final Duration CLOSE_GRACE = Duration.ofSeconds(5);

  private static final Logger logger = LoggerFactory.getLogger(Host.class);

  /** What a host serves by itself: no shutdown waits for it. */
  private static final Set<String> OWN_PROTOCOLS =
      Set.of(IdentifyProtocol.ID, IdentifyProtocol.PUSH_ID, PingProtocol.ID);

  private final HostConfig config;
  private final PeerId self;
  private final Transports transports =
      new Transports(List.of(new TcpTransport(), new MemoryTransport()));
  private final ProtocolHandlers handlers = new ProtocolHandlers(OWN_PROTOCOLS);
  private final Observers observers;
  private final EventLoopDelays loopDelays;
  private final ResourceManager resources;
  private final AddressBook book;
  private final ConnectionTable table;
  private final Dialer dialer;
  private final Listeners listeners;
  private final IdentifyExchange identify;
  private final ProtectedPeers protectedPeers = new ProtectedPeers();
  private final ConnectionTrimmer trimmer;
  private final KeptPeers kept;
  private final HostShutdown shutdown;

  @GuardedBy("this")
  private @Nullable CompletableFuture<Host> started;

  public DefaultHost(HostConfig config) {
    this.config = config;
    PrivateKey identity = config.identity != null ? config.identity : PrivateKey.generateEd25519();
    self = PeerId.of(identity.publicKey());
    for (Multiaddr address : config.listenAddresses) {
      if (!address.peerId().orElse(self).equals(self)) {
        throw new IllegalArgumentException("cannot listen on " + address + " as the peer " + self);
      }
    }
    Limits limits = config.limits;
    config.checkWaterMarks();
    ConnectionGater gater = config.gater;
    observers = new Observers(config.observers);
    loopDelays = new EventLoopDelays(observers);
    Refusals refusals = new Refusals(self);
    resources = new ResourceManager(limits, refusals, config.ownStreams());
    book =
        new AddressBook(
            System::nanoTime,
            limits.peerInfoBytes(),
            dropped -> refusals.add(Refusal.PEER_INFO, dropped));
    table = new ConnectionTable(book);
    List<SecurityProtocol> security = config.securityOf(identity);
    ConnectionUpgrader upgrader =
        new ConnectionUpgrader(
            self,
            limits,
            security,
            config.withoutBoringSsl,
            new YamuxProtocol(config.yamux()),
            gater,
            table,
            new StreamRules(
                handlers, resources, refusals, limits.streamNegotiationTimeout(), observers));
    NameResolver resolver =
        new NameResolver(new DefaultThreadFactory(threadName(self, "dns"), true));
    dialer =
        new Dialer(
            self,
            table,
            book,
            upgrader,
            gater,
            refusals,
            observers,
            resources,
            transports,
            resolver,
            limits.dialTimeout());
    listeners =
        new Listeners(self, transports, new Acceptor(gater, refusals, resources, table, upgrader));
    identify =
        new IdentifyExchange(
            self,
            handlers,
            book,
            table,
            transports,
            identity.publicKey(),
            config.agentVersion,
            listeners::addresses);
    trimmer =
        new ConnectionTrimmer(
            self,
            config.connectionManager,
            table::size,
            table::all,
            protectedPeers,
            System::nanoTime);
    kept =
        new KeptPeers(
            self,
            dialer::connect,
            table::has,
            table::of,
            protectedPeers,
            book,
            System::nanoTime,
            () -> ThreadLocalRandom.current().nextDouble());
    identify.serve();
    table.addListener(identify);
    table.addListener(dialer);
    table.addListener(trimmer);
    table.addListener(kept);
    observers.all().forEach(table::addListener);
    table.addListener(loopDelays);
    handlers.put(PingProtocol.ID, PingProtocol.responder());
    shutdown =
        new HostShutdown(
            self, dialer, listeners, table, upgrader, resolver, transports, config.group == null);
  }

  private static String threadName(PeerId self, String kind) {
    String id = self.toString();
    return "grpcstream-" + kind + "-" + id.substring(Math.max(0, id.length() - 6));
  }

  @Override
  public synchronized CompletionStage<Host> start() {
    if (table.isClosed()) {
      return StageFuture.failed(new HostClosedException(self, "cannot be started again"));
    }
    if (started != null) {
      return started;
    }
    observers.tell(observer -> observer.onStart(this));
    EventLoopGroup group = config.group;
    transports.start(
        group != null
            ? group
            : new MultiThreadIoEventLoopGroup(
                config.threads,
                HostThread.factory(threadName(self, "host")),
                TcpTransport.ioHandlerFactory()));
    trimmer.start(transports.group().next());
    kept.start(transports.group());
    loopDelays.start(transports.group());
    CompletableFuture<Host> result = new StageFuture<>();
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
                logger.debug("host {} listens on {}", self, listenAddresses());
                result.complete(this);
              }
            });
    return result;
  }

  @Override
  public PeerId peerId() {
    return self;
  }

  @Override
  public List<Multiaddr> listenAddresses() {
    return listeners.addresses();
  }

  @Override
  public void handle(String protocol, StreamHandler handler) {
    handlers.put(protocol, handler);
    identify.changed();
  }

  @Override
  public boolean unhandle(String protocol) {
    return toldIf(handlers.remove(protocol));
  }

  @Override
  public boolean unhandle(String protocol, StreamHandler handler) {
    return toldIf(handlers.remove(protocol, handler));
  }

  @Override
  public boolean handleIfAbsent(String protocol, StreamHandler handler) {
    return toldIf(handlers.putIfAbsent(protocol, handler));
  }

  /** Has connected peers told of the protocols, if they have changed. */
  private boolean toldIf(boolean changed) {
    if (changed) {
      identify.changed();
    }
    return changed;
  }

  @Override
  public List<String> protocols() {
    return handlers.protocols();
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

  @Override
  public CompletionStage<Connection> connect(PeerId peer, Collection<Multiaddr> addresses) {
    List<Multiaddr> checked = addressesOf(requirePeer(peer), addresses);
    return connection(() -> dialer.connect(peer, checked));
  }

  private CompletionStage<Connection> connection(
      Supplier<CompletableFuture<DefaultConnection>> connect) {
    CompletableFuture<Connection> result = new StageFuture<>();
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

  @Override
  public CompletionStage<Stream> newStream(
      PeerId peer, Collection<Multiaddr> addresses, String... protocols) {
    List<Multiaddr> checked = addressesOf(requirePeer(peer), addresses);
    return stream(() -> dialer.connect(peer, checked), protocols);
  }

  private CompletableFuture<Stream> stream(
      Supplier<CompletableFuture<DefaultConnection>> connect, String... protocols) {
    return StreamDial.open(ifStarted(connect), ProtocolHandlers.check(protocols));
  }

  private Supplier<CompletableFuture<DefaultConnection>> ifStarted(
      Supplier<CompletableFuture<DefaultConnection>> connect) {
    if (transports.isStarted() || table.isClosed()) {
      return connect;
    }
    return () -> CompletableFuture.failedFuture(new HostNotStartedException(self));
  }

  @Override
  public List<Connection> connections() {
    return List.copyOf(table.all());
  }

  @Override
  public List<Connection> connections(PeerId peer) {
    return List.copyOf(table.of(requirePeer(peer)));
  }

  @Override
  public void addAddress(PeerId peer, Multiaddr address) {
    if (book.add(requirePeer(peer), requireAddress(address))) {
      kept.onAddress(peer);
    }
  }

  @Override
  public boolean removeAddress(PeerId peer, Multiaddr address) {
    return book.remove(requirePeer(peer), requireAddress(address));
  }

  @Override
  public List<Multiaddr> addresses(PeerId peer) {
    return book.addresses(requirePeer(peer));
  }

  @Override
  public Registration keepConnected(PeerId peer) {
    return keepConnected(peer, List.of());
  }

  @Override
  public Registration keepConnected(PeerId peer, Collection<Multiaddr> addresses) {
    List<Multiaddr> checked = addressesOf(requirePeer(peer), addresses);
    if (peer.equals(self)) {
      throw new IllegalArgumentException(
          "cannot keep connected with " + peer + ": it is this host");
    }
    return kept.keep(peer, checked);
  }

  @Override
  public void protect(PeerId peer, String tag) {
    protectedPeers.protect(requirePeer(peer), requireTag(tag));
  }

  @Override
  public boolean unprotect(PeerId peer, String tag) {
    return protectedPeers.unprotect(requirePeer(peer), requireTag(tag));
  }

  @Override
  public boolean isProtected(PeerId peer) {
    return protectedPeers.contains(requirePeer(peer));
  }

  @Override
  public CompletionStage<Duration> ping(PeerId peer) {
    requirePeer(peer);
    CompletableFuture<Duration> result = new StageFuture<>();
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
    return table.addListener(Objects.requireNonNull(listener, "the connection listener is null"));
  }

  @Override
  public HostStats stats() {
    return resources
        .stats()
        .withUpkeep(
            new HostStats.Upkeep(
                trimmer.trimmed(),
                trimmer.idleClosed(),
                kept.size(),
                kept.connected(),
                kept.dials()));
  }

  @Override
  public ConnectionManager connectionManager() {
    return config.connectionManager;
  }

  @Override
  public Limits limits() {
    return config.limits;
  }

  @Override
  public boolean inEventLoop() {
    return transports.isOnEventLoop() || HostThread.isCurrent();
  }

  @Override
  public synchronized CompletionStage<Void> shutdown(Duration grace) {
    return StageFuture.copyOf(shutdown.begin(Objects.requireNonNull(grace, "the grace is null")));
  }

  @Override
  public CompletionStage<Void> closed() {
    return StageFuture.copyOf(shutdown.done());
  }

  @Override
  public void close() {
    shutdown(CLOSE_GRACE);
    CompletableFuture<Void> done = shutdown.done();
    if (inEventLoop()) {
      return;
    }
    try {
      done.get();
    } catch (InterruptedException e) {
      shutdown(Duration.ZERO);
      Thread.currentThread().interrupt();
    } catch (ExecutionException e) {
      throw new IllegalStateException("host " + self + " failed to shut down", e.getCause());
    }
  }

  private static List<Multiaddr> addressesOf(PeerId peer, Collection<Multiaddr> addresses) {
    Objects.requireNonNull(addresses, "the collection of addresses is null");
    for (Multiaddr address : addresses) {
      if (!requireAddress(address).peerId().orElse(peer).equals(peer)) {
        throw new IllegalArgumentException(address + " is not an address of peer " + peer);
      }
    }
    return List.copyOf(addresses);
  }

  private static PeerId requirePeer(PeerId peer) {
    return Objects.requireNonNull(peer, "the peer is null");
  }

  private static String requireTag(String tag) {
    return Objects.requireNonNull(tag, "the tag is null");
  }

  private static Multiaddr requireAddress(Multiaddr address) {
    return Objects.requireNonNull(address, "the address is null");
  }

  @Override
  public String toString() {
    return "host " + self;
  }
}
