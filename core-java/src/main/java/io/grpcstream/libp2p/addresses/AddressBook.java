package io.grpcstream.libp2p.addresses;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpcstream.libp2p.Libp2pException;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.PeerInfo;
import io.grpcstream.libp2p.protocol.identify.Identify;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The known addresses of peers, all without their {@code /p2p} part, and what peers told about
 * themselves.
 *
 * <p>Addresses that the user added stay until they are removed. What a peer told, and where it was
 * reached, is kept while it is connected; its addresses alone are kept {@link #KEEP} longer, so
 * that a stranger that came by once leaves nothing behind, and those of peers that are to be kept
 * connected stay. Of what a peer told only addresses that this host could dial are worth keeping,
 * and their number is bounded after the others have been left out.
 *
 * <p>All of it takes at most so many bytes of heap, as reckoned by {@link Entry}. Beyond that,
 * peers that have gone give way, the longest gone first; then what the connected peer that has told
 * most has told. So whoever fills the book loses his own page first. Thread-safe.
 */
public final class AddressBook {
  private static final PeerInfo NOTHING_TOLD = new PeerInfo("", "", List.of(), List.of(), null);

  /** Addresses kept for one peer, of each kind. */
  static final int MAX_ADDRESSES_PER_PEER = 32;

  /** Peers for which addresses that the user added are kept. */
  static final int MAX_PEERS = 1_024;

  /** How long the addresses that a peer told are kept after its last connection ended. */
  static final Duration KEEP = Duration.ofMinutes(10);

  private final LongSupplier nanoTime;
  private final long maxBytes;
  private final Consumer<String> onFull;

  @GuardedBy("this")
  private final Map<PeerId, Set<Multiaddr>> added = new LinkedHashMap<>();

  @GuardedBy("this")
  private final Map<PeerId, Entry> learned = new HashMap<>();

  /** When the entries of peers that have gone end; in that order. */
  @GuardedBy("this")
  private final Map<PeerId, Long> expiries = new LinkedHashMap<>();

  /** Peers whose entries stay, connected or not: few, as the user names each. */
  @GuardedBy("this")
  private final Set<PeerId> kept = new HashSet<>();

  /** Known addresses at which the last attempt failed, in the order of the attempts. */
  @GuardedBy("this")
  private final Map<PeerId, Set<Multiaddr>> failed = new HashMap<>();

  /** The sum over all entries. */
  @GuardedBy("this")
  private long bytes;

  /**
   * An empty book.
   *
   * @param maxBytes what all that was learned may take of the heap
   * @param onFull told of each connected peer whose word had to be dropped, under the book's lock
   */
  public AddressBook(LongSupplier nanoTime, long maxBytes, Consumer<String> onFull) {
    this.nanoTime = nanoTime;
    this.maxBytes = maxBytes;
    this.onFull = onFull;
  }

  /**
   * Keeps an address given by the user, as the one to try first.
   *
   * @return whether it was not known before
   */
  public synchronized boolean add(PeerId peer, Multiaddr address) {
    Multiaddr bare = bare(peer, address);
    boolean isNew = !isKnown(peer, bare);
    Set<Multiaddr> addresses = added.remove(peer);
    if (addresses == null) {
      addresses = new LinkedHashSet<>();
      while (added.size() >= MAX_PEERS) {
        PeerId oldest = added.keySet().iterator().next();
        added.remove(oldest);
        forgetUnknownFailures(oldest);
      }
    }
    added.put(peer, addresses);
    addresses.remove(bare);
    makeRoom(addresses);
    addresses.add(bare);
    forgetFailure(peer, bare);
    return isNew;
  }

  /** Forgets an address, whoever gave it. Returns whether it was known. */
  public synchronized boolean remove(PeerId peer, Multiaddr address) {
    Multiaddr bare = bare(peer, address);
    boolean known = false;
    Set<Multiaddr> given = added.get(peer);
    if (given != null) {
      known = given.remove(bare);
      if (given.isEmpty()) {
        added.remove(peer);
      }
    }
    Entry entry = learned.get(peer);
    if (entry != null) {
      known |= entry.reachedAt.remove(bare);
      known |= entry.told.remove(bare);
      recount(entry);
    }
    forgetFailure(peer, bare);
    return known;
  }

  private static Multiaddr bare(PeerId peer, Multiaddr address) {
    if (!address.peerId().orElse(peer).equals(peer)) {
      throw new IllegalArgumentException("address " + address + " names another peer than " + peer);
    }
    Multiaddr bare = address.withoutPeerId();
    if (bare.isEmpty()) {
      throw new IllegalArgumentException(
          "address " + address + " says who " + peer + " is, but not where");
    }
    return bare;
  }

  /** Notes that {@code peer} is connected: what it tells is kept from now on. */
  public synchronized void connected(PeerId peer) {
    expire();
    expiries.remove(peer);
    Entry entry = learned.computeIfAbsent(peer, p -> new Entry());
    entry.gone = false;
    recount(entry);
  }

  /** Notes that the last connection of {@code peer} ended. */
  public synchronized void disconnected(PeerId peer) {
    expire();
    Entry entry = learned.get(peer);
    if (entry == null) {
      return;
    }
    entry.info = null;
    entry.gone = true;
    recount(entry);
    if (entry.told.isEmpty() && entry.reachedAt.isEmpty()) {
      forget(peer);
    } else {
      if (!kept.contains(peer)) {
        expiries.put(peer, nanoTime.getAsLong() + KEEP.toNanos());
      }
      makeRoomForLearned();
    }
  }

  /** Keeps what is learned of {@code peer}'s addresses, connected or not, until it is released. */
  public synchronized void keep(PeerId peer) {
    expire();
    kept.add(peer);
    expiries.remove(peer);
  }

  /** Ends {@link #keep}. */
  public synchronized void release(PeerId peer) {
    Entry entry = learned.get(peer);
    if (kept.remove(peer) && entry != null && entry.gone) {
      expiries.put(peer, nanoTime.getAsLong() + KEEP.toNanos());
    }
  }

  /** Notes that {@code peer}, connected now, has proved its identity at {@code address}. */
  public synchronized void reachedAt(PeerId peer, Multiaddr address) {
    Multiaddr bare = address.withoutPeerId();
    forgetFailure(peer, bare);
    Entry entry = learned.get(peer);
    if (entry != null && !entry.reachedAt.contains(bare)) {
      makeRoom(entry.reachedAt);
      entry.reachedAt.add(bare);
      recount(entry);
      makeRoomForLearned();
    }
  }

  /** Notes that {@code peer} has answered at {@code address}, which may hold a name. */
  public synchronized void worked(PeerId peer, Multiaddr address) {
    forgetFailure(peer, address);
  }

  /** Notes that {@code peer} did not answer at {@code address}: others are tried before it. */
  public synchronized void failedAt(PeerId peer, Multiaddr address) {
    if (isKnown(peer, address)) {
      Set<Multiaddr> failures = failed.computeIfAbsent(peer, p -> new LinkedHashSet<>());
      failures.remove(address);
      failures.add(address);
    }
  }

  @GuardedBy("this")
  private boolean isKnown(PeerId peer, Multiaddr address) {
    Entry entry = learned.get(peer);
    return added.getOrDefault(peer, Set.of()).contains(address)
        || (entry != null && (entry.reachedAt.contains(address) || entry.told.contains(address)));
  }

  /** What {@code told} says, and what it leaves out as it was {@code known} before. */
  private static PeerInfo merged(Identify told, PeerInfo known) {
    return new PeerInfo(
        told.agentVersion() != null ? told.agentVersion() : known.agentVersion(),
        told.protocolVersion() != null ? told.protocolVersion() : known.protocolVersion(),
        told.listenAddresses().isEmpty() ? known.listenAddresses() : told.listenAddresses(),
        told.protocols().isEmpty() ? known.protocols() : told.protocols(),
        told.observedAddress() != null ? told.observedAddress() : known.observedAddress());
  }

  /**
   * Notes what {@code peer} told about itself, over what it told before; ignored unless it is
   * connected.
   *
   * @param met the scope in which the peer is, and the narrowest in which it can know addresses
   */
  public synchronized void told(PeerId peer, Identify identify, AddressScope met) {
    Entry entry = learned.get(peer);
    if (entry == null || entry.gone) {
      return;
    }
    entry.info = merged(identify, entry.info == null ? NOTHING_TOLD : entry.info);
    if (!identify.listenAddresses().isEmpty()) {
      entry.told.clear();
      entry.least = met;
      for (Multiaddr address : identify.listenAddresses()) {
        if (entry.told.size() < MAX_ADDRESSES_PER_PEER && isOfUse(peer, address, met)) {
          entry.told.add(address.withoutPeerId());
        }
      }
      forgetUnknownFailures(peer);
    }
    recount(entry);
    makeRoomForLearned();
  }

  /** What a name stands for is not known before it is dialled, and judged then. */
  private static boolean isOfUse(PeerId peer, Multiaddr address, AddressScope met) {
    if (!address.peerId().orElse(peer).equals(peer)) {
      return false;
    }
    try {
      DialTarget target = DialTarget.of(address);
      return target.address() == null || AddressScope.of(target.address()).compareTo(met) >= 0;
    } catch (Libp2pException e) {
      return false; // No transport goes there, as for every QUIC address.
    }
  }

  /** What {@code peer}, connected now, told about itself; null if it told nothing. */
  public synchronized @Nullable PeerInfo info(PeerId peer) {
    Entry entry = learned.get(peer);
    return entry == null ? null : entry.info;
  }

  /**
   * The known addresses of {@code peer} in the order in which to try them: those added, then where
   * it was, then what it told; those that failed last behind all others.
   */
  public synchronized List<DialAddress> toDial(PeerId peer) {
    expire();
    Map<Multiaddr, DialAddress> all = new LinkedHashMap<>();
    added.getOrDefault(peer, Set.of()).forEach(a -> all.put(a, DialAddress.trusted(a)));
    Entry entry = learned.get(peer);
    if (entry != null) {
      entry.reachedAt.forEach(a -> all.putIfAbsent(a, DialAddress.trusted(a)));
      entry.told.forEach(a -> all.putIfAbsent(a, new DialAddress(a, entry.least)));
    }
    for (Multiaddr address : failed.getOrDefault(peer, Set.of())) {
      DialAddress last = all.remove(address);
      if (last != null) {
        all.put(address, last);
      }
    }
    return new ArrayList<>(all.values());
  }

  /** The same as {@link #toDial}, as addresses alone. */
  public synchronized List<Multiaddr> addresses(PeerId peer) {
    return toDial(peer).stream().map(DialAddress::address).toList();
  }

  /** Peers of which something was learned. */
  synchronized int learnedPeers() {
    expire();
    return learned.size();
  }

  /** What is reckoned for all that was learned. */
  synchronized long heapBytes() {
    return bytes;
  }

  @GuardedBy("this")
  private void expire() {
    long now = nanoTime.getAsLong();
    while (!expiries.isEmpty()) {
      Map.Entry<PeerId, Long> next = expiries.entrySet().iterator().next();
      if (next.getValue() - now > 0) {
        return;
      }
      forget(next.getKey());
    }
  }

  @GuardedBy("this")
  private void makeRoomForLearned() {
    while (bytes > maxBytes && !expiries.isEmpty()) {
      forget(expiries.keySet().iterator().next());
    }
    while (bytes > maxBytes) {
      Map.Entry<PeerId, Entry> largest =
          Collections.max(
              learned.entrySet(), (a, b) -> Long.compare(a.getValue().word, b.getValue().word));
      Entry entry = largest.getValue();
      long freed = entry.word;
      if (freed == 0) {
        return; // Only where connected peers were reached is left, and connections have a limit.
      }
      entry.info = null;
      entry.told.clear();
      forgetUnknownFailures(largest.getKey());
      recount(entry);
      onFull.accept(
          "peers have told more about themselves than the limit of %,d bytes: dropped %,d bytes of peer %s, who told most"
              .formatted(maxBytes, freed, largest.getKey()));
    }
  }

  @GuardedBy("this")
  private void forget(PeerId peer) {
    expiries.remove(peer);
    Entry entry = learned.remove(peer);
    if (entry != null) {
      bytes -= entry.counted;
    }
    forgetUnknownFailures(peer);
  }

  @GuardedBy("this")
  private void recount(Entry entry) {
    bytes -= entry.counted;
    entry.word = entry.wordBytes();
    entry.counted = entry.word + entry.baseBytes();
    bytes += entry.counted;
  }

  @GuardedBy("this")
  private void forgetFailure(PeerId peer, Multiaddr address) {
    Set<Multiaddr> failures = failed.get(peer);
    if (failures != null && failures.remove(address) && failures.isEmpty()) {
      failed.remove(peer);
    }
  }

  @GuardedBy("this")
  private void forgetUnknownFailures(PeerId peer) {
    Set<Multiaddr> failures = failed.get(peer);
    if (failures != null) {
      for (Iterator<Multiaddr> each = failures.iterator(); each.hasNext(); ) {
        if (!isKnown(peer, each.next())) {
          each.remove();
        }
      }
      if (failures.isEmpty()) {
        failed.remove(peer);
      }
    }
  }

  private static void makeRoom(Set<Multiaddr> addresses) {
    Iterator<Multiaddr> oldest = addresses.iterator();
    while (addresses.size() >= MAX_ADDRESSES_PER_PEER) {
      oldest.next();
      oldest.remove();
    }
  }

  /** What is known of one peer by its connections. */
  private static final class Entry {
    /** The entry, its sets, its places in the maps, and the peer id in both its forms. */
    private static final int ENTRY_BYTES = 640;

    /** A place in a set. */
    private static final int PLACE_BYTES = 64;

    final Set<Multiaddr> reachedAt = new LinkedHashSet<>();
    final Set<Multiaddr> told = new LinkedHashSet<>();
    AddressScope least = AddressScope.ANYWHERE;
    @Nullable PeerInfo info;
    boolean gone;

    /** What was reckoned last: for what the peer told, and in all. */
    long word;

    long counted;

    /** While the peer is connected its place is part of what connections cost, and not counted. */
    long baseBytes() {
      return (gone ? ENTRY_BYTES : 0) + sizeOf(reachedAt);
    }

    /** What the peer told. */
    long wordBytes() {
      return sizeOf(told) + HeapSize.of(info);
    }

    /** The addresses are counted here even if they are shared with the info: at most twice. */
    private static long sizeOf(Set<Multiaddr> addresses) {
      long size = 0;
      for (Multiaddr address : addresses) {
        size += PLACE_BYTES + HeapSize.of(address);
      }
      return size;
    }
  }
}
