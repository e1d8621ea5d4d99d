package io.grpcstream.libp2p;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Finds a connection to a peer: a live one if there is one, else a dial, which all who want the
 * same peer at the same time share. A dial begun goes on when those who asked for it have given up;
 * its connection is then there for the next. Thread-safe.
 */
final class Dialer {
  private final HostContext host;

  /** The dials under way, by peer id, or by address where any identity will do. */
  private final Map<Object, Dial> dials = new HashMap<>();

  private boolean closed;

  Dialer(HostContext host) {
    this.host = host;
  }

  /** A connection to the peer that {@code address} names, or to whoever answers there. */
  CompletableFuture<DefaultConnection> connect(Multiaddr address) {
    PeerId peer = address.peerId().orElse(null);
    Multiaddr bare = address.withoutPeerId();
    if (peer != null && bare.isEmpty()) {
      return connect(peer);
    }
    return connect(peer, peer == null ? bare : peer, List.of(DialAddress.trusted(bare)));
  }

  /** A connection to {@code peer}, at one of the addresses the book knows. */
  CompletableFuture<DefaultConnection> connect(PeerId peer) {
    return connect(peer, peer, host.book.toDial(peer));
  }

  private CompletableFuture<DefaultConnection> connect(
      @Nullable PeerId peer, Object key, List<DialAddress> addresses) {
    CompletableFuture<DefaultConnection> result = new CompletableFuture<>();
    Dial dial;
    boolean begin;
    synchronized (this) {
      if (closed) {
        return CompletableFuture.failedFuture(
            new HostClosedException(host.self, "cannot connect to " + key));
      }
      if (host.self.equals(peer)) {
        return CompletableFuture.failedFuture(
            new DialException(
                "cannot dial " + peer + ": it is this host", peer, bare(addresses), List.of()));
      }
      DefaultConnection live =
          peer != null ? host.table.best(peer) : host.table.dialledAt((Multiaddr) key);
      if (live != null) {
        return CompletableFuture.completedFuture(live);
      }
      Dial running = dials.get(key);
      begin = running == null;
      dial = begin ? new Dial(host, this, peer, key) : running;
      dials.put(key, dial);
      dial.add(addresses);
    }
    Futures.relay(dial.result, result);
    try {
      if (begin) {
        dial.begin();
      } else {
        dial.resume();
      }
    } catch (RejectedExecutionException e) {
      end(dial, false);
      result.completeExceptionally(
          new DialException(
              "cannot dial " + key + ": the event loops have ended",
              peer,
              bare(addresses),
              List.of(e)));
    }
    return result;
  }

  private static List<Multiaddr> bare(List<DialAddress> addresses) {
    return addresses.stream().map(DialAddress::address).toList();
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
  void close() {
    List<Dial> running;
    synchronized (this) {
      closed = true;
      running = List.copyOf(dials.values());
    }
    for (Dial dial : running) {
      dial.abort(new HostClosedException(host.self, "broke off the dial of " + dial.key));
    }
  }
}
