package io.grpcstream.netty;

import io.grpc.Status;
import io.grpcstream.libp2p.Connection;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.util.HostThread;
import io.grpcstream.targets.PeerTargetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/**
 * The streams that one channel opens to its peers, and what is known of those it could not reach.
 *
 * <p>gRPC tries again after a back-off, for ever. That is right for a peer that may come back. It
 * is not for an address at which another peer has proven itself: nothing changes there by itself,
 * as a rule, and every attempt tells a stranger that we look for the peer. So such an address is
 * asked again only when {@link #IMPOSTOR_PAUSE} has passed and somebody calls, or the peer is known
 * at another address or connected, or the user asks for it. Until then attempts fail at once with
 * what the last one met. Thread-safe.
 */
final class PeerDials {
  /** How long an address is let alone at which another peer answered. */
  static final Duration IMPOSTOR_PAUSE = Duration.ofMinutes(1);

  /** So many peers are named, at most, to a call that has waited in vain. */
  private static final int MAX_NAMED = 3;

  private final Host host;
  private final Function<Throwable, Status> statusOf;
  private final LongSupplier nanoTime;
  private final Map<PeerId, Failure> failures = new ConcurrentHashMap<>();
  private final Map<PeerId, PeerTargetAddress> underWay = new ConcurrentHashMap<>();
  private final Set<Stream> streams = ConcurrentHashMap.newKeySet();
  private volatile BooleanSupplier demand = () -> true;
  private volatile Runnable wake = () -> {};

  /**
   * Those of one channel of {@code host}.
   *
   * @param statusOf what a failure of the host is to a gRPC user
   */
  PeerDials(Host host, Function<Throwable, Status> statusOf, LongSupplier nanoTime) {
    this.host = host;
    this.statusOf = statusOf;
    this.nanoTime = nanoTime;
  }

  /** What the channel's end of a transport without a stream is shown as. */
  PeerTargetAddress self() {
    return new PeerTargetAddress(host.peerId(), List.of(), "");
  }

  /** Sets what tells whether calls wait, or were made since {@link #failed} was called last. */
  void onDemand(BooleanSupplier demand) {
    this.demand = demand;
  }

  /** Opens a stream to the peer of {@code address}; given up by cancelling. */
  CompletableFuture<Stream> open(PeerTargetAddress address) {
    Failure known = failures.get(address.peer());
    if (known != null && isLetAlone(known, address)) {
      return CompletableFuture.failedFuture(known.status.asRuntimeException());
    }
    try {
      return host.newStream(address.peer(), address.addresses(), address.protocol())
          .toCompletableFuture();
    } catch (IllegalArgumentException e) { // Such as a protocol id that cannot be negotiated.
      return CompletableFuture.failedFuture(e);
    }
  }

  private boolean isLetAlone(Failure known, PeerTargetAddress address) {
    boolean paused =
        nanoTime.getAsLong() - known.at < IMPOSTOR_PAUSE.toNanos() || !demand.getAsBoolean();
    return known.status.getCode() == Status.Code.UNAUTHENTICATED
        && paused
        && known.tried.containsAll(addresses(address))
        && host.connections(address.peer()).isEmpty();
  }

  private Set<Multiaddr> addresses(PeerTargetAddress address) {
    Set<Multiaddr> all = new LinkedHashSet<>(host.addresses(address.peer()));
    all.addAll(address.addresses());
    return all;
  }

  /** What {@code failure} to reach a peer is to a gRPC user. */
  Status statusOf(Throwable failure) {
    return statusOf.apply(failure);
  }

  /** Notes that the peer of {@code address} was not reached. */
  void failed(PeerTargetAddress address, Status status) {
    if (status.getCode() != Status.Code.CANCELLED) {
      Failure known = failures.get(address.peer());
      if (known == null || known.status != status) { // Else nobody was asked.
        AtomicBoolean redialled = known == null ? new AtomicBoolean() : known.redialled;
        failures.put(
            address.peer(),
            new Failure(status, nanoTime.getAsLong(), addresses(address), redialled));
      }
    }
  }

  /** Has the next attempts ask all peers again, whoever answered last. */
  void forgetFailures() {
    failures.clear();
  }

  /**
   * Whether the peer of {@code connection}, a new one, could not be reached before and may be now.
   *
   * <p>That it can is sure only of a peer that has connected by itself. A connection that was
   * dialled may be for nothing, as with a peer that turns this one away: that counts once, or else
   * the channels to such peers would wake each other for ever, without a back-off. An attempt that
   * is under way need not be woken, see {@link #attemptFailed}.
   */
  boolean wasMissed(Connection connection) {
    Failure known = failures.get(connection.remotePeer());
    return known != null
        && !underWay.containsKey(connection.remotePeer())
        && (!connection.isInitiator() || known.redialled.compareAndSet(false, true));
  }

  /** Sets what ends back-offs. */
  void onReachable(Runnable wake) {
    this.wake = wake;
  }

  /**
   * An attempt to reach the peer of {@code address} begins.
   *
   * @return the connections there are with it
   */
  List<Connection> attemptBegun(PeerTargetAddress address) {
    underWay.put(address.peer(), address);
    return host.connections(address.peer());
  }

  /** It is over, with whatever outcome; to be told before gRPC is. */
  void attemptOver(PeerTargetAddress address) {
    underWay.remove(address.peer());
  }

  /**
   * It has failed, and gRPC has been told. If the peer has connected by itself meanwhile, nobody
   * was missed yet when that was heard.
   *
   * @param before the connections with the peer when the attempt began
   */
  void attemptFailed(PeerTargetAddress address, List<Connection> before) {
    if (host.connections(address.peer()).stream()
        .anyMatch(connection -> !connection.isInitiator() && !before.contains(connection))) {
      wake.run();
    }
  }

  /** A transport begins on {@code stream}. */
  void begun(Stream stream) {
    streams.add(stream);
  }

  /** The peer of {@code address} is ready for calls. */
  void reached(PeerTargetAddress address) {
    failures.remove(address.peer());
  }

  /** The transport on {@code stream} has ended. */
  void ended(Stream stream) {
    streams.remove(stream);
  }

  /** Whether the calling thread is an event loop that a call may need. */
  boolean isOnEventLoop() {
    return HostThread.isCurrent()
        || streams.stream().anyMatch(stream -> stream.channel().eventLoop().inEventLoop());
  }

  /**
   * What calls wait for: why peers could not be reached when last tried, and which others are being
   * tried for the first time; empty if there is nothing to say.
   */
  String whyWaiting() {
    List<String> reasons = new ArrayList<>();
    failures.values().forEach(failure -> reasons.add(failure.status.getDescription()));
    for (PeerTargetAddress address : underWay.values()) {
      if (!failures.containsKey(address.peer())) {
        reasons.add("still connecting to peer " + address.peer() + " at " + addresses(address));
      }
    }
    String named = reasons.stream().limit(MAX_NAMED).collect(Collectors.joining("; "));
    int more = reasons.size() - MAX_NAMED;
    return more > 0 ? named + "; and " + more + " more peers" : named;
  }

  /**
   * What the last attempt to reach a peer met, when, and with which addresses known.
   *
   * @param redialled whether a connection that was dialled has ended a back-off since the peer was
   *     reached last
   */
  private record Failure(Status status, long at, Set<Multiaddr> tried, AtomicBoolean redialled) {}
}
