package io.grpcstream.netty;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpcstream.libp2p.PeerId;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * What each peer may cost one server, or one client, over all its streams and connections.
 *
 * <p><b>Memory.</b> No peer has a fixed share of it: a peer may hold as many bytes as are left when
 * it has taken them. So one peer alone gets up to half of all, and however many take what they can
 * get, the next one still finds as much as each of them has. Half of it can be {@linkplain
 * MessageMemory reserved}, for messages that are longer than a call's window, see {@link
 * CallWindows}: who has to wait for a reservation waits without harm, while a byte that has arrived
 * and finds no place costs the call.
 *
 * <p>A peer's entry lasts for as long as it has a stream, or has not got back what it spent: at
 * most {@link PeerBudget#REFILL_SECONDS}. Thread-safe.
 */
public final class PeerBudgets {
  /** So many entries are looked through, at most, before there is something to forget. */
  private static final int SWEEP_FROM = 1_024;

  /** Calls that a peer may reset at once. */
  final int resets;

  /** Bytes that the calls of all peers may hold. */
  final long memory;

  /** Where bytes are reserved for messages. */
  final MessageMemory room;

  private final LongSupplier nanoTime;
  private final Map<PeerId, PeerBudget> peers = new ConcurrentHashMap<>();
  private final AtomicLong held = new AtomicLong();

  @GuardedBy("this")
  private long grown;

  /**
   * Budgets of peers that have spent nothing.
   *
   * @param resets calls that a peer may reset at once, and again in {@link
   *     PeerBudget#REFILL_SECONDS}
   * @param memory bytes that the calls of all peers may hold
   */
  public PeerBudgets(int resets, long memory) {
    this(resets, memory, System::nanoTime);
  }

  PeerBudgets(int resets, long memory, LongSupplier nanoTime) {
    this.resets = resets;
    this.memory = memory;
    this.nanoTime = nanoTime;
    room = new MessageMemory(memory / 2);
  }

  /** The budget of {@code peer}, for one stream more, until that is {@linkplain #close closed}. */
  PeerBudget open(PeerId peer) {
    if (peers.size() >= SWEEP_FROM) {
      peers.keySet().forEach(this::forgetIfUnused);
    }
    return peers.compute(
        peer,
        (id, known) -> {
          PeerBudget budget = known == null ? new PeerBudget(this, id, nanoTime) : known;
          budget.streams++;
          return budget;
        });
  }

  /** A stream of the peer has ended. */
  void close(PeerBudget budget) {
    peers.computeIfPresent(
        budget.peer,
        (id, known) -> {
          known.streams--;
          return known.isUnused() ? null : known;
        });
  }

  /** Whether {@code peer} has spent its resets, so that it is to be served no more for now. */
  boolean isOverdrawn(PeerId peer) {
    PeerBudget known = peers.get(peer);
    return known != null && known.isOverdrawn();
  }

  private void forgetIfUnused(PeerId peer) {
    peers.computeIfPresent(peer, (id, known) -> known.isUnused() ? null : known);
  }

  /** Peers of which something is counted. */
  int size() {
    return peers.size();
  }

  // --- bytes that have arrived -------------------------------------------------------------------

  /** Counts bytes that {@code budget}'s peer holds, unless that leaves less than it then has. */
  boolean hold(PeerBudget budget, long bytes) {
    long ofPeer = budget.held.addAndGet(bytes);
    long ofAll = held.addAndGet(bytes);
    if (bytes > 0 && ofPeer > memory - ofAll) {
      budget.held.addAndGet(-bytes);
      held.addAndGet(-bytes);
      return false;
    }
    return true;
  }

  // --- bytes that are to come --------------------------------------------------------------------

  /** Reserves bytes that make calls faster, and that no message ever has to wait for. */
  synchronized boolean grow(PeerBudget budget, long bytes) {
    if (budget.grown + bytes > memory / 8 - grown) {
      return false;
    }
    budget.grown += bytes;
    grown += bytes;
    return true;
  }

  /** Gives back what calls had grown by. */
  synchronized void shrink(PeerBudget budget, long bytes) {
    budget.grown -= bytes;
    grown -= bytes;
  }
}
