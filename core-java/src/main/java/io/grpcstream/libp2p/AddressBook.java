package io.grpcstream.libp2p;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * The known addresses of peers, all without their {@code /p2p} part.
 *
 * <p>Those the user added stay. Those a peer told about itself, or was reached at, are kept while
 * it is connected and {@link #KEEP} longer: a stranger that came by once leaves nothing behind.
 * Both kinds are bounded; the oldest peers and addresses give way. Thread-safe.
 */
final class AddressBook {
  /** Addresses kept for one peer, of each kind. */
  static final int MAX_ADDRESSES_PER_PEER = 32;

  /** Peers whose addresses are kept, of each kind. */
  static final int MAX_PEERS = 1_024;

  /** How long what a peer told is kept after its last connection ended. */
  static final Duration KEEP = Duration.ofMinutes(10);

  private final LongSupplier nanoTime;
  private final Map<PeerId, Set<Multiaddr>> added = new LinkedHashMap<>();
  private final Map<PeerId, Learned> learned = new LinkedHashMap<>();

  /** When the learned addresses of a peer that has gone end; in that order. */
  private final Map<PeerId, Long> expiries = new LinkedHashMap<>();

  AddressBook(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  /** Keeps an address given by the user. */
  synchronized void add(PeerId peer, Multiaddr address) {
    PeerId named = address.peerId().orElse(peer);
    if (!named.equals(peer)) {
      throw new IllegalArgumentException("address " + address + " names another peer than " + peer);
    }
    Set<Multiaddr> addresses = added.remove(peer);
    if (addresses == null) {
      addresses = new LinkedHashSet<>();
      makeRoom(added, MAX_PEERS);
    }
    added.put(peer, addresses);
    Multiaddr bare = address.withoutPeerId();
    addresses.remove(bare);
    makeRoom(addresses, MAX_ADDRESSES_PER_PEER);
    addresses.add(bare);
  }

  /** Notes that {@code peer} is connected: what it tells is kept from now on. */
  synchronized void connected(PeerId peer) {
    expire();
    Learned entry = learned.remove(peer);
    if (entry == null) {
      entry = new Learned();
      makeRoomForLearned();
    }
    expiries.remove(peer);
    learned.put(peer, entry);
  }

  /** Notes that the last connection of {@code peer} ended. */
  synchronized void disconnected(PeerId peer) {
    expire();
    Learned entry = learned.get(peer);
    if (entry == null) {
      return;
    }
    if (entry.addresses.isEmpty() && entry.reachedAt.isEmpty()) {
      learned.remove(peer);
      return;
    }
    expiries.put(peer, nanoTime.getAsLong() + KEEP.toNanos());
  }

  /** Notes an address at which {@code peer}, connected now, has proved its identity. */
  synchronized void reachedAt(PeerId peer, Multiaddr address) {
    Learned entry = learned.get(peer);
    if (entry != null) {
      makeRoom(entry.reachedAt, MAX_ADDRESSES_PER_PEER);
      entry.reachedAt.add(address.withoutPeerId());
    }
  }

  /** Replaces what {@code peer} told about itself; ignored unless it is connected. */
  synchronized void told(PeerId peer, Collection<Multiaddr> addresses) {
    Learned entry = learned.get(peer);
    if (entry == null || expiries.containsKey(peer)) {
      return;
    }
    entry.addresses.clear();
    for (Multiaddr address : addresses) {
      if (entry.addresses.size() == MAX_ADDRESSES_PER_PEER) {
        return;
      }
      if (address.peerId().orElse(peer).equals(peer)) {
        entry.addresses.add(address.withoutPeerId());
      }
    }
  }

  /**
   * All known addresses of {@code peer}: first those added, then where it was, then what it told.
   */
  synchronized List<Multiaddr> addresses(PeerId peer) {
    expire();
    Set<Multiaddr> all = new LinkedHashSet<>(added.getOrDefault(peer, Set.of()));
    Learned entry = learned.get(peer);
    if (entry != null) {
      all.addAll(entry.reachedAt);
      all.addAll(entry.addresses);
    }
    return new ArrayList<>(all);
  }

  /** Peers of which something was learned. */
  synchronized int learnedPeers() {
    expire();
    return learned.size();
  }

  private void expire() {
    long now = nanoTime.getAsLong();
    Iterator<Map.Entry<PeerId, Long>> next = expiries.entrySet().iterator();
    while (next.hasNext()) {
      Map.Entry<PeerId, Long> expiry = next.next();
      if (expiry.getValue() - now > 0) {
        return;
      }
      learned.remove(expiry.getKey());
      next.remove();
    }
  }

  /** Peers that have gone give way before those that are here. */
  private void makeRoomForLearned() {
    while (learned.size() >= MAX_PEERS) {
      Map<PeerId, ?> first = expiries.isEmpty() ? learned : expiries;
      PeerId oldest = first.keySet().iterator().next();
      expiries.remove(oldest);
      learned.remove(oldest);
    }
  }

  /** Drops the oldest until there is room for one more. */
  private static void makeRoom(Map<PeerId, ?> map, int max) {
    makeRoom(map.keySet(), max);
  }

  private static void makeRoom(Set<?> set, int max) {
    Iterator<?> oldest = set.iterator();
    while (set.size() >= max) {
      oldest.next();
      oldest.remove();
    }
  }

  private static final class Learned {
    final Set<Multiaddr> reachedAt = new LinkedHashSet<>();
    final Set<Multiaddr> addresses = new LinkedHashSet<>();
  }
}
