package io.grpcstream.libp2p;

import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.host.DefaultHost;
import io.grpcstream.libp2p.host.HostConfig;
import io.grpcstream.libp2p.libraries.Libraries;
import io.netty.channel.EventLoopGroup;
import java.security.Provider;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A libp2p peer: it listens, dials, and exchanges streams with other peers.
 *
 * <p>All methods may be called from any thread and, {@link #close()} apart, none blocks. Stages
 * complete on an event loop, so what depends on them must not block: to wait for a stage of any
 * host or {@code GrpcStream} on an event loop that a host has made fails at once, with {@link
 * io.netty.util.concurrent.BlockingOperationException}. Cancelling the {@linkplain
 * CompletionStage#toCompletableFuture() future} of a stage gives the operation up.
 *
 * <p>Its threads are daemons, so that a host alone keeps no program running: a {@code main} that
 * serves waits for something, such as {@code host.closed().toCompletableFuture().join()}.
 *
 * <p>No argument may be null, unless its documentation says so: else a {@link NullPointerException}
 * names it, thrown at once.
 *
 * <p>A host answers {@code /ipfs/id/1.0.0}, {@code /ipfs/id/push/1.0.0} and {@code
 * /ipfs/ping/1.0.0} by itself.
 */
public interface Host extends AutoCloseable {
  /** A builder that holds the defaults. */
  static Builder builder() {
    return new Builder();
  }

  /**
   * Listens on all addresses of the builder: on all of them or, if the stage fails, on none.
   *
   * <p>Calling it again returns the stage of the first call. After {@link #shutdown} it fails with
   * {@link HostClosedException}. A host that cannot be started is shut down. Before it is started
   * it neither accepts nor dials; dialling then fails with {@link HostNotStartedException}, an
   * {@link IllegalStateException}.
   */
  CompletionStage<Host> start();

  /** The identity of this host. */
  PeerId peerId();

  /**
   * The addresses at which peers reach this host: each with its real port and ending in {@code
   * /p2p/<peer id>}. A wildcard address is given as the addresses of the interfaces it stands for.
   * Empty before {@link #start()} is complete and after {@link #shutdown}.
   */
  List<Multiaddr> listenAddresses();

  /**
   * Serves {@code protocol} (matched exactly) with {@code handler} from now on, instead of the
   * handler it had, if it had one. Connected peers are told by identify push.
   */
  void handle(String protocol, StreamHandler handler);

  /**
   * The same, unless {@code protocol} has a handler.
   *
   * @return whether it had none
   */
  boolean handleIfAbsent(String protocol, StreamHandler handler);

  /**
   * Serves {@code protocol} no longer; streams that are open go on.
   *
   * @return whether it was served
   */
  boolean unhandle(String protocol);

  /**
   * The same, if it is {@code handler} that serves it.
   *
   * @return whether it was served by {@code handler}
   */
  boolean unhandle(String protocol, StreamHandler handler);

  /** The protocol ids this host serves, in no particular order. */
  List<String> protocols();

  /**
   * A live connection to the peer of {@code address}, or a new one to that address.
   *
   * <p>If {@code address} ends in {@code /p2p/<peer id>}, the peer there must prove that id: else
   * the stage fails with {@link PeerIdMismatchException}. If it does not, a connection is made with
   * whichever peer answers: {@link Connection#remotePeer()} is proven, but that it is the peer one
   * meant to reach is not.
   *
   * <p>Fails with {@link DialException}; with {@link GatedException} or {@link
   * LimitExceededException} if this host's own policy was all that stood in the way; with {@link
   * HostClosedException} after or during shutdown.
   */
  CompletionStage<Connection> connect(Multiaddr address);

  /** A live connection to {@code peer}, or a new one to one of its known addresses. */
  CompletionStage<Connection> connect(PeerId peer);

  /**
   * The same, where {@code addresses} (with or without their {@code /p2p} part) are tried, too:
   * behind those that the host knows. They are for this dial alone; one at which the peer answers
   * becomes known.
   *
   * @throws IllegalArgumentException if one of them names another peer
   */
  CompletionStage<Connection> connect(PeerId peer, Collection<Multiaddr> addresses);

  /**
   * Opens a stream to the peer of {@code address}, over a live connection if there is one, else
   * over a new one; see {@link #connect(Multiaddr)} and {@link Connection#newStream} for how it
   * fails. Callers that need the same connection at the same time share one dial.
   *
   * @param protocols at least one, in order of preference
   */
  CompletionStage<Stream> newStream(Multiaddr address, String... protocols);

  /** The same, over a live connection to {@code peer} or one of its known addresses. */
  CompletionStage<Stream> newStream(PeerId peer, String... protocols);

  /**
   * The same, where a dial tries {@code addresses}, too; see {@link #connect(PeerId, Collection)}.
   *
   * @throws IllegalArgumentException if one of them names another peer
   */
  CompletionStage<Stream> newStream(
      PeerId peer, Collection<Multiaddr> addresses, String... protocols);

  /** The live connections, oldest first. */
  List<Connection> connections();

  /** The live connections to {@code peer}, oldest first: new streams go over the first. */
  List<Connection> connections(PeerId peer);

  /**
   * Remembers {@code address} (with or without its {@code /p2p} part) as one of {@code peer}'s.
   * Addresses added here are kept until they are removed or the host closes; at most 32 a peer and
   * 1,024 peers, beyond which the oldest give way.
   *
   * @throws IllegalArgumentException if {@code address} names another peer, or nothing but the peer
   */
  void addAddress(PeerId peer, Multiaddr address);

  /**
   * Forgets {@code address} (with or without its {@code /p2p} part) as one of {@code peer}'s,
   * whether it was added, told by the peer or found by a dial. Live connections and dials under way
   * go on; the peer may tell the address again.
   *
   * @return whether it was known
   * @throws IllegalArgumentException if {@code address} names another peer, or nothing but the peer
   */
  boolean removeAddress(PeerId peer, Multiaddr address);

  /**
   * The known addresses of {@code peer} in the order in which a dial tries them: those added, where
   * it was reached, and those it told about itself and this host can dial; those that failed when
   * last tried come behind all others.
   *
   * <p>What a peer tells is taken as far as it can know better: of one met in a private network no
   * loopback address, of one met elsewhere no private address either. What a name that it tells
   * stands for is judged likewise, when it is dialled.
   */
  List<Multiaddr> addresses(PeerId peer);

  /**
   * Keeps this host connected with {@code peer} until the registration is closed: dials it now, if
   * there is no connection, and again whenever there is none any more. Before {@link #start()}
   * nothing is dialled, and after {@link #shutdown} nothing any more.
   *
   * <p>After a failed dial, or the end of a connection, the next dial comes after 1 second, then 2,
   * 4 and so on up to 2 minutes, of each of which a random part between half and all is waited; a
   * connection that stood for 30 seconds starts this over. The peer is dialled at once, or a second
   * after the last dial, when an address of it becomes known ({@link #addAddress}, another call of
   * this); and no more when it connects by itself. Where another peer proves itself at all of its
   * addresses, the delay is the longest at once. A peer that is not reached for so long is logged
   * as a warning, once, with the reason.
   *
   * <p>Meanwhile the peer is protected as by {@link #protect}, and the addresses that were learned
   * of it stay known. A peer that closes unused connections, as many do, is redialled with these
   * delays: an open stream says better that a connection is wanted.
   *
   * <p>Several registrations for one peer dial it once; the last that is closed ends it. Then a
   * dial under way is given up, and a connection stays.
   *
   * @throws IllegalArgumentException if {@code peer} is this host
   */
  Registration keepConnected(PeerId peer);

  /**
   * The same, where dials try {@code addresses} (with or without their {@code /p2p} part), too:
   * behind those that the host knows.
   *
   * @throws IllegalArgumentException if {@code peer} is this host, or an address names another peer
   */
  Registration keepConnected(PeerId peer, Collection<Multiaddr> addresses);

  /**
   * Has the host close no connection with {@code peer} by itself, as its {@link ConnectionManager}
   * would have it, connected or not, until the same {@code tag} is {@linkplain #unprotect taken
   * off}. A tag says who wants it, so that several can without knowing of each other. Each peer and
   * tag is remembered: it is the caller's to take them off. The hard {@link Limits} hold all the
   * same, and so does the end of the peer or of the network.
   */
  void protect(PeerId peer, String tag);

  /**
   * Takes {@code tag} off {@code peer}, if it is there; see {@link #protect}. With the last one the
   * peer's unused connections may be closed, as others that have been unused for so long.
   *
   * @return whether the peer is protected all the same: by another tag, or as it is kept connected
   */
  boolean unprotect(PeerId peer, String tag);

  /** Whether {@code peer} is protected, by whichever tag or as it is kept connected. */
  boolean isProtected(PeerId peer);

  /**
   * Sends a ping over a live connection to {@code peer}, or a new one, and measures the round trip.
   */
  CompletionStage<Duration> ping(PeerId peer);

  /** Lets {@code listener} hear of connections made from now on, and of the end of all. */
  ConnectionListener.Registration addListener(ConnectionListener listener);

  /** What the host holds, and what it has refused. */
  HostStats stats();

  /** Which connections this host closes by itself. */
  ConnectionManager connectionManager();

  /** The limits in force. */
  Limits limits();

  /**
   * Whether the calling thread is an event loop, of this host or of another one's own: there
   * nothing may wait.
   */
  boolean inEventLoop();

  /**
   * Shuts down: accepts and opens nothing from now on, asks the users of open streams to end them
   * ({@link Stream#hostShutdown()}) and gives them up to {@code grace}, then cuts what is left,
   * tells peers so (GOAWAY), and releases all sockets, timers and threads. Dials under way fail
   * with {@link HostClosedException}.
   *
   * <p>gRPC on this host's streams ends by itself: it takes no more calls, lets those in flight
   * finish, and closes a stream that has none. So it does not matter whether the {@code GrpcStream}
   * and the channels are shut down before, after, or not at all.
   *
   * <p>Idempotent: a later call returns the first one's stage, and can shorten its grace but not
   * lengthen it. Never blocks; may be called on an event loop and before {@link #start()}.
   *
   * @param grace zero to cut at once
   */
  CompletionStage<Void> shutdown(Duration grace);

  /** Completes, never exceptionally, once the host is shut down and everything is released. */
  CompletionStage<Void> closed();

  /**
   * {@link #shutdown} with a grace of 5 seconds, and waits for its end. If the thread is
   * interrupted, cuts at once and returns with the interrupt flag set.
   *
   * <p>On an event loop of a host it cannot wait, as it might wait for itself: there it starts the
   * shutdown and returns at once.
   */
  @Override
  void close();

  /** Collects what a host is made of. */
  final class Builder {
    private final HostConfig config = new HostConfig();

    private Builder() {}

    /**
     * The identity; default: a fresh Ed25519 key, and with it another peer id each time. {@link
     * PrivateKey#loadOrCreate PrivateKey.loadOrCreate(path)} keeps one in a file.
     */
    public Builder identity(PrivateKey key) {
      config.identity = Objects.requireNonNull(key, "the identity is null");
      return this;
    }

    /**
     * An address to listen on, port 0 for any free one, such as {@code /ip4/127.0.0.1/tcp/0}; may
     * be called several times. Without any the host only dials.
     *
     * @throws IllegalArgumentException if it is not a multiaddr, or one that cannot be listened on
     */
    public Builder listen(String address) {
      return listen(
          Multiaddr.parse(Objects.requireNonNull(address, "the address to listen on is null")));
    }

    /** The same as {@link #listen(String)}. */
    public Builder listen(Multiaddr address) {
      config.addListenAddress(Objects.requireNonNull(address, "the address to listen on is null"));
      return this;
    }

    /**
     * The secure channels to offer and to accept, by protocol id: {@code /tls/1.0.0} (TLS 1.3) and
     * {@code /noise}. As dialler the host proposes them in this order; as listener it takes the
     * first of the dialler's that is among them.
     *
     * <p>The default is TLS, then Noise, where {@code io.netty:netty-tcnative-boringssl-static}
     * works, which comes along, and Noise alone where it was excluded or the system is another. On
     * JDK 17 BoringSSL moves more bytes than Noise, whose ciphers are the JDK's; those of later
     * JDKs come close. A handshake of TLS costs more than one of Noise, most of all by the JDK.
     * {@code samples/benchmarks} compares them.
     *
     * <p>Besides, the JDK refuses certificates that name no issuer, and those of rust-libp2p and
     * js-libp2p do not. So a host that lists TLS without BoringSSL has it with go-libp2p and its
     * own kind only, and <em>does not fall back to Noise</em> with the others, in either role: TLS
     * is what the two agree on, and a libp2p peer whose handshake has failed does not come back
     * with another protocol. Without BoringSSL, list {@code /noise} before {@code /tls/1.0.0} to
     * reach all peers as dialler; as listener the order is the dialler's, so list {@code /noise}
     * alone to be reached by all.
     *
     * <p>A BoringSSL that is there but does not work, as with a netty-tcnative older than the one
     * that Netty was made for, counts as none, and is logged.
     *
     * @throws IllegalArgumentException if the list is empty or names an unknown protocol
     */
    public Builder security(String... protocols) {
      for (String protocol : Objects.requireNonNull(protocols, "the list of protocols is null")) {
        Objects.requireNonNull(protocol, "a security protocol is null");
      }
      config.setSecurity(List.of(protocols));
      return this;
    }

    /**
     * Who implements TLS; default: BoringSSL where {@code io.netty:netty-tcnative-boringssl-static}
     * is on the class path, else the JDK. {@link #build()} fails with {@link
     * IllegalArgumentException} if the host is to speak TLS by one that is not there.
     */
    public Builder tlsProvider(TlsProvider provider) {
      config.tlsProvider = Objects.requireNonNull(provider, "the TLS provider is null");
      return this;
    }

    /** The limits; default: {@link Limits#defaults()}. */
    public Builder limits(Limits limits) {
      config.limits = Objects.requireNonNull(limits, "the limits are null");
      return this;
    }

    /**
     * Which connections the host closes by itself; default: {@link ConnectionManager#none()}, none.
     * {@link #build()} fails with {@link IllegalArgumentException} if its high-water mark is not
     * below {@link Limits#connections()}.
     */
    public Builder connectionManager(ConnectionManager manager) {
      config.connectionManager = Objects.requireNonNull(manager, "the connection manager is null");
      return this;
    }

    /** The connection gater; default: {@link ConnectionGater#ALLOW_ALL}. */
    public Builder gater(ConnectionGater gater) {
      config.gater = Objects.requireNonNull(gater, "the connection gater is null");
      return this;
    }

    /**
     * The JCA provider of the ciphers, such as Conscrypt's; default: the JVM's own order. A
     * provider other than the JDK's is handed direct buffers, which native code takes without a
     * copy.
     */
    public Builder cipherProvider(@Nullable Provider provider) {
      config.cipherProvider = provider;
      return this;
    }

    /**
     * Event loops to run on, instead of the host's own. The group is the caller's: the host does
     * not shut it down, and it must outlive the host. Its type decides the transport: epoll, kqueue
     * or NIO sockets; with a group of none of these, TCP is unavailable.
     */
    public Builder eventLoopGroup(EventLoopGroup group) {
      config.group = Objects.requireNonNull(group, "the event-loop group is null");
      return this;
    }

    /**
     * Tells {@code observer} what the host does, and counts the bytes of its connections;
     * repeatable. Without any, nothing is measured.
     */
    public Builder observer(HostObserver observer) {
      config.observers.add(Objects.requireNonNull(observer, "the host observer is null"));
      return this;
    }

    /** How many event-loop threads the host runs; default: one for each processor. */
    public Builder threads(int threads) {
      config.setThreads(threads);
      return this;
    }

    /** What identify tells peers about this software; default: {@code grpcstream/<version>}. */
    public Builder agentVersion(String agentVersion) {
      config.agentVersion = Objects.requireNonNull(agentVersion, "the agent version is null");
      return this;
    }

    /**
     * The host, not yet {@linkplain Host#start() started}; it holds no socket or thread yet.
     *
     * @throws IllegalArgumentException if an address to listen on names another peer, or the
     *     high-water mark is not below the limit of connections
     * @throws IllegalStateException if Netty, or another library, is there in a version that does
     *     not work, with the jar that was found, the version that is needed, and what to write into
     *     a {@code pom.xml}
     */
    public Host build() {
      Libraries.checkForHost();
      return new DefaultHost(config.copy());
    }
  }
}
