package io.grpcstream.libp2p.upkeep;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpcstream.libp2p.Connection;
import io.grpcstream.libp2p.ConnectionListener;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Registration;
import io.grpcstream.libp2p.addresses.AddressBook;
import io.grpcstream.libp2p.connection.Reclaimable;
import io.netty.util.concurrent.EventExecutorGroup;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiFunction;
import java.util.function.DoubleSupplier;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The peers that are to be kept connected: one {@link KeptPeer} each, however many want it. While
 * they are kept they are protected, and the book does not forget where they were. Thread-safe.
 */
public final class KeptPeers implements ConnectionListener {
  final DoubleSupplier random;
  private final BiFunction<PeerId, Collection<Multiaddr>, CompletableFuture<?>> dialer;
  private final PeerId self;
  private final Predicate<PeerId> isConnected;
  private final Function<PeerId, ? extends Collection<? extends Reclaimable>> connections;
  private final ProtectedPeers protectedPeers;
  private final AddressBook book;
  private final LongSupplier nanoTime;
  private final AtomicLong dials = new AtomicLong();

  @GuardedBy("this")
  private final Map<PeerId, Kept> kept = new HashMap<>();

  @GuardedBy("this")
  private @Nullable EventExecutorGroup loops;

  @GuardedBy("this")
  private boolean closed;

  /**
   * Keeps nobody yet, and dials nobody before it is started.
   *
   * @param dialer dials a peer, at addresses that it knows or at these
   * @param connections those with a peer
   * @param random between 0 and 1, for the delays
   */
  public KeptPeers(
      PeerId self,
      BiFunction<PeerId, Collection<Multiaddr>, CompletableFuture<?>> dialer,
      Predicate<PeerId> isConnected,
      Function<PeerId, ? extends Collection<? extends Reclaimable>> connections,
      ProtectedPeers protectedPeers,
      AddressBook book,
      LongSupplier nanoTime,
      DoubleSupplier random) {
    this.self = self;
    this.dialer = dialer;
    this.isConnected = isConnected;
    this.connections = connections;
    this.protectedPeers = protectedPeers;
    this.book = book;
    this.nanoTime = nanoTime;
    this.random = random;
  }

  /** Dials from now on, with timers on {@code loops}. */
  public synchronized void start(EventExecutorGroup loops) {
    this.loops = loops;
    kept.values().forEach(each -> each.peer.start(loops.next()));
  }

  /** Keeps {@code peer} connected, which may be at one of {@code addresses}, until it is told. */
  public synchronized Registration keep(PeerId peer, List<Multiaddr> addresses) {
    if (closed) {
      return () -> {};
    }
    Kept known = kept.get(peer);
    Kept each = known != null ? known : new Kept(new KeptPeer(this, peer));
    Wish wish = new Wish(peer);
    boolean isNews = !each.addresses().containsAll(addresses);
    each.wishes.put(wish, addresses);
    if (known == null) {
      kept.put(peer, each);
      book.keep(peer);
      protectedPeers.protect(peer, this);
      if (loops != null) {
        each.peer.start(loops.next());
      }
    } else if (isNews) {
      each.peer.onNews();
    }
    return wish;
  }

  private synchronized void drop(PeerId peer, Wish wish) {
    Kept each = kept.get(peer);
    if (each != null && each.wishes.remove(wish) != null && each.wishes.isEmpty()) {
      kept.remove(peer);
      forget(peer, each);
    }
  }

  private void forget(PeerId peer, Kept each) {
    each.peer.end();
    book.release(peer);
    protectedPeers.unprotect(peer, this);
  }

  /** An address of {@code peer} has become known. */
  public void onAddress(PeerId peer) {
    KeptPeer each = find(peer);
    if (each != null) {
      each.onNews();
    }
  }

  @Override
  public void onConnected(Connection connection) {
    check(connection.remotePeer());
  }

  @Override
  public void onDisconnected(Connection connection) {
    check(connection.remotePeer());
  }

  private void check(PeerId peer) {
    KeptPeer each = find(peer);
    if (each != null) {
      each.check();
    }
  }

  private synchronized @Nullable KeptPeer find(PeerId peer) {
    Kept each = kept.get(peer);
    return each == null ? null : each.peer;
  }

  /** Keeps nobody any more. */
  @Override
  public synchronized void onHostShutdown() {
    closed = true;
    kept.forEach(this::forget);
    kept.clear();
  }

  /** How many peers are kept. */
  public synchronized int size() {
    return kept.size();
  }

  /** How many of them are connected. */
  public int connected() {
    List<PeerId> peers;
    synchronized (this) {
      peers = List.copyOf(kept.keySet());
    }
    return (int) peers.stream().filter(isConnected).count();
  }

  /** How many dials were made. */
  public long dials() {
    return dials.get();
  }

  boolean isConnected(PeerId peer) {
    return isConnected.test(peer);
  }

  /**
   * The connections with {@code peer} that this host has dialled, if they are not needed, since the
   * peer has dialled one, too. The two sides may do so at the same time, where each keeps the other
   * connected. Both know that the one which the peer with the lesser id has dialled stays; the
   * other side closes its own. Bytes are compared, as unsigned ones.
   */
  List<Reclaimable> surplus(PeerId peer) {
    Collection<? extends Reclaimable> all = connections.apply(peer);
    boolean stays = Arrays.compareUnsigned(self.bytes(), peer.bytes()) < 0;
    if (stays || all.stream().allMatch(Reclaimable::isInitiator)) {
      return List.of();
    }
    return all.stream()
        .filter(Reclaimable::isInitiator)
        .map(connection -> (Reclaimable) connection)
        .toList();
  }

  long now() {
    return nanoTime.getAsLong();
  }

  CompletableFuture<?> dial(PeerId peer) {
    dials.incrementAndGet();
    return dialer.apply(peer, addresses(peer));
  }

  private synchronized Collection<Multiaddr> addresses(PeerId peer) {
    Kept each = kept.get(peer);
    return each == null ? List.of() : new ArrayList<>(each.addresses());
  }

  /** A peer, and who wants it to be kept: with the addresses that each knows. */
  private record Kept(KeptPeer peer, Map<Wish, List<Multiaddr>> wishes) {
    Kept(KeptPeer peer) {
      this(peer, new LinkedHashMap<>());
    }

    Set<Multiaddr> addresses() {
      Set<Multiaddr> all = new LinkedHashSet<>();
      wishes.values().forEach(all::addAll);
      return all;
    }
  }

  /** Somebody's wish that a peer be kept. */
  private final class Wish implements Registration {
    private final PeerId peer;

    Wish(PeerId peer) {
      this.peer = peer;
    }

    @Override
    public void close() {
      drop(peer, this);
    }
  }
}
