package io.grpcstream.libp2p.dial;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpcstream.libp2p.Connection;
import io.grpcstream.libp2p.ConnectionGater;
import io.grpcstream.libp2p.ConnectionListener;
import io.grpcstream.libp2p.DialException;
import io.grpcstream.libp2p.HostClosedException;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.addresses.AddressBook;
import io.grpcstream.libp2p.addresses.DialAddress;
import io.grpcstream.libp2p.connection.ConnectionTable;
import io.grpcstream.libp2p.connection.ConnectionUpgrader;
import io.grpcstream.libp2p.connection.DefaultConnection;
import io.grpcstream.libp2p.resources.Observers;
import io.grpcstream.libp2p.resources.Refusals;
import io.grpcstream.libp2p.resources.ResourceManager;
import io.grpcstream.libp2p.transport.Transports;
import io.grpcstream.libp2p.util.Futures;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Finds a connection to a peer: a live one if there is one, else a dial, which all who want the
 * same peer at the same time share. A dial begun goes on when those who asked for it have given up;
 * its connection is then there for the next. Thread-safe.
 */
public final class Dialer implements ConnectionListener {
  final PeerId self;
  final AddressBook book;
  final ConnectionUpgrader upgrader;
  final ConnectionGater gater;
  final Refusals refusals;
  final Observers observers;
  final ResourceManager resources;
  final Transports transports;
  final NameResolver resolver;
  final Duration timeout;

  private final ConnectionTable table;

  /** The dials under way, by peer id, or by address where any identity will do. */
  @GuardedBy("this")
  private final Map<Object, Dial> dials = new HashMap<>();

  @GuardedBy("this")
  private boolean closed;

  /**
   * The dialler of a host.
   *
   * @param timeout for one dial, whatever its addresses
   */
  public Dialer(
      PeerId self,
      ConnectionTable table,
      AddressBook book,
      ConnectionUpgrader upgrader,
      ConnectionGater gater,
      Refusals refusals,
      Observers observers,
      ResourceManager resources,
      Transports transports,
      NameResolver resolver,
      Duration timeout) {
    this.self = self;
    this.table = table;
    this.book = book;
    this.upgrader = upgrader;
    this.gater = gater;
    this.refusals = refusals;
    this.observers = observers;
    this.resources = resources;
    this.transports = transports;
    this.resolver = resolver;
    this.timeout = timeout;
  }

  /** A connection to the peer that {@code address} names, or to whoever answers there. */
  public CompletableFuture<DefaultConnection> connect(Multiaddr address) {
    PeerId peer = address.peerId().orElse(null);
    Multiaddr bare = address.withoutPeerId();
    if (peer != null && bare.isEmpty()) {
      return connect(peer);
    }
    return connect(peer, peer == null ? bare : peer, List.of(DialAddress.trusted(bare)));
  }

  /** A connection to {@code peer}, at one of the addresses the book knows. */
  public CompletableFuture<DefaultConnection> connect(PeerId peer) {
    return connect(peer, peer, book.toDial(peer));
  }

  /** A connection to {@code peer}, at one of the addresses the book knows, or at one of these. */
  public CompletableFuture<DefaultConnection> connect(
      PeerId peer, Collection<Multiaddr> addresses) {
    List<DialAddress> all = book.toDial(peer);
    Set<Multiaddr> known = all.stream().map(DialAddress::address).collect(Collectors.toSet());
    for (Multiaddr address : addresses) {
      Multiaddr bare = address.withoutPeerId();
      if (!bare.isEmpty() && known.add(bare)) {
        all.add(DialAddress.trusted(bare));
      }
    }
    return connect(peer, peer, all);
  }

  private CompletableFuture<DefaultConnection> connect(
      @Nullable PeerId peer, Object key, List<DialAddress> addresses) {
    CompletableFuture<DefaultConnection> result = new CompletableFuture<>();
    Dial dial;
    boolean begin;
    synchronized (this) {
      if (closed) {
        return CompletableFuture.failedFuture(
            new HostClosedException(self, "cannot connect to " + key));
      }
      if (self.equals(peer)) {
        return CompletableFuture.failedFuture(
            new DialException(
                "cannot dial " + peer + ": it is this host", peer, bare(addresses), List.of()));
      }
      DefaultConnection live = peer != null ? table.best(peer) : table.dialledAt((Multiaddr) key);
      if (live != null && live.touch()) {
        return CompletableFuture.completedFuture(live);
      }
      Dial running = dials.get(key);
      begin = running == null;
      dial = running != null ? running : new Dial(this, peer, key);
      dials.put(key, dial);
      dial.add(addresses);
    }
    Futures.relay(dial.result, result);
    boolean underWay = begin ? dial.begin() : dial.resume();
    if (!underWay) {
      end(dial, false);
      result.completeExceptionally(
          new DialException(
              "cannot dial " + key + ": the event loops have ended",
              peer,
              bare(addresses),
              List.of()));
    }
    return result;
  }

  private static List<Multiaddr> bare(List<DialAddress> addresses) {
    return addresses.stream().map(DialAddress::address).toList();
  }

  /** The peer has dialled us: who waits for a dial of it need not wait any longer. */
  @Override
  public void onConnected(Connection connection) {
    if (connection.isInitiator() || !(connection instanceof DefaultConnection inbound)) {
      return;
    }
    Dial dial;
    synchronized (this) {
      dial = dials.get(connection.remotePeer());
    }
    // The dial itself goes on: the peer may wait for the outcome, just as we did for its own.
    if (dial != null) {
      dial.result.complete(inbound);
    }
  }

  /**
   * Ends a dial, unless {@code onlyIfEmpty} and an address has been added meanwhile; from then on
   * no one joins it.
   */
  synchronized boolean end(Dial dial, boolean onlyIfEmpty) {
    if (onlyIfEmpty && dial.hasWaiting()) {
      return false;
    }
    dials.remove(dial.key, dial);
    return true;
  }

  /** Fails all dials with {@link HostClosedException}, and all that come. */
  public void close() {
    List<Dial> running;
    synchronized (this) {
      closed = true;
      running = List.copyOf(dials.values());
    }
    for (Dial dial : running) {
      dial.abort(new HostClosedException(self, "broke off the dial of " + dial.key));
    }
  }
}
