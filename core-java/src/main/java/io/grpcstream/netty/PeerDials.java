package io.grpcstream.netty;

import io.grpc.Status;
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
  private final Set<Attempt> attempts = ConcurrentHashMap.newKeySet();
  private final Set<Stream> streams = ConcurrentHashMap.newKeySet();
  private volatile BooleanSupplier demand = () -> true;

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
    CompletableFuture<Stream> stream;
    try {
      stream =
          host.newStream(address.peer(), address.addresses(), address.protocol())
              .toCompletableFuture();
    } catch (IllegalArgumentException e) { // Such as a protocol id that cannot be negotiated.
      return CompletableFuture.failedFuture(e);
    }
    Attempt attempt = new Attempt(address);
    attempts.add(attempt);
    stream.whenComplete((opened, failure) -> attempts.remove(attempt));
    return stream;
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

  /** Notes that the peer of {@code address} was not reached, and returns the status of that. */
  Status failed(PeerTargetAddress address, Throwable failure) {
    Status status = statusOf.apply(failure);
    if (status.getCode() != Status.Code.CANCELLED) {
      Failure known = failures.get(address.peer());
      if (known == null || known.status.getCause() != status.getCause()) { // Else nobody was asked.
        failures.put(address.peer(), new Failure(status, nanoTime.getAsLong(), addresses(address)));
      }
    }
    return status;
  }

  /** Has the next attempts ask all peers again, whoever answered last. */
  void forgetFailures() {
    failures.clear();
  }

  /** Whether {@code peer}, which is connected now, was not reached before; then no longer. */
  boolean wasMissed(PeerId peer) {
    return failures.remove(peer) != null;
  }

  /** A transport begins on {@code stream}. */
  void begun(Stream stream) {
    failures.remove(stream.remotePeer());
    streams.add(stream);
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
    for (Attempt attempt : attempts) {
      PeerTargetAddress address = attempt.address;
      if (!failures.containsKey(address.peer())) {
        reasons.add("still connecting to peer " + address.peer() + " at " + addresses(address));
      }
    }
    String named = reasons.stream().limit(MAX_NAMED).collect(Collectors.joining("; "));
    int more = reasons.size() - MAX_NAMED;
    return more > 0 ? named + "; and " + more + " more peers" : named;
  }

  /** One that is under way; there may be several to a peer. */
  private static final class Attempt {
    final PeerTargetAddress address;

    Attempt(PeerTargetAddress address) {
      this.address = address;
    }
  }

  /** What the last attempt to reach a peer met, when, and with which addresses known. */
  private record Failure(Status status, long at, Set<Multiaddr> tried) {}
}
