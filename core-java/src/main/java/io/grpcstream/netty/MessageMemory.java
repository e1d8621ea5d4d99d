package io.grpcstream.netty;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpcstream.libp2p.util.EventLoops;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.Executor;

/**
 * The room that is reserved for messages longer than a call's window, and the queue for it.
 *
 * <p>One half of it is shared as {@linkplain PeerBudgets all memory} is: a peer may have as much as
 * that leaves. The other half is kept for peers that have nothing reserved: one message at a time
 * is never too much for anyone. A message longer than all of it is taken while there is no other.
 *
 * <p><b>The queue.</b> A peer that waits and has nothing reserved is overtaken by nobody: until its
 * first message has found room, none is given to newcomers, nor to peers that want more than they
 * have, so that what is given back collects for it. Such peers take turns, one message each; within
 * a peer its streams do. Who has something reserved and wants more waits for what its share may
 * hold, behind nobody but its own streams, and holds nobody up; at the latest when all that it has
 * is given back, it is one of the former.
 *
 * <p><b>Why each turn comes.</b> What the first one waits for is held by messages that are reserved
 * as a whole, and so never wait themselves, and by those only that began before it. While it waits,
 * each of them has to go on at {@link CallWindows}' least rate, or ends when that is next looked
 * at, after a stall timeout or two. So even what needs all of the room waits, and has the others
 * wait, for no longer than the longest of them takes at that rate, some 17 minutes. (Peer ids are
 * free: against many of them that hold room by turns, this bounds each turn, not their number; what
 * bounds that are the host's limits of connections, and its gater.) A waiter whose message, stream
 * or event loop ends leaves, and those behind it go on at once; nobody has to take what it was
 * given before the next one gets its own.
 *
 * <p>Thread-safe.
 */
final class MessageMemory {
  /** Half of the room, the one that is shared. */
  private final long shared;

  /** Peers that wait and have nothing reserved, in the order of their turns. */
  @GuardedBy("this")
  private final Set<PeerBudget> turns = new LinkedHashSet<>();

  /** Peers that wait for more than they have reserved. */
  @GuardedBy("this")
  private final Set<PeerBudget> wantMore = new LinkedHashSet<>();

  @GuardedBy("this")
  private long reserved;

  MessageMemory(long bytes) {
    shared = bytes / 2;
  }

  /** Where a stream of a peer waits with one message; see {@link #await}. */
  static final class Place {
    private enum State {
      WAITING,
      GIVEN,
      OVER
    }

    final long bytes;
    private final PeerBudget budget;
    private final Executor executor;
    private final Runnable given;
    private State state = State.WAITING;

    private Place(PeerBudget budget, long bytes, Executor executor, Runnable given) {
      this.budget = budget;
      this.bytes = bytes;
      this.executor = executor;
      this.given = given;
    }
  }

  /** Reserves bytes for a message, unless there is no room, or that would be to overtake others. */
  synchronized boolean reserve(PeerBudget budget, long bytes) {
    if (!turns.isEmpty() || !budget.places.isEmpty() || !fits(budget, bytes)) {
      return false;
    }
    take(budget, bytes);
    return true;
  }

  /** Gives back what was reserved. */
  void release(PeerBudget budget, long bytes) {
    Queue<Place> served;
    synchronized (this) {
      giveBack(budget, bytes);
      served = serve();
    }
    tell(served);
  }

  /**
   * Has a message wait for its room. Once that is reserved, which may be at once, {@code given} is
   * run by {@code executor}, to {@link #take} it; if that rejects it, the room goes to the next.
   */
  Place await(PeerBudget budget, long bytes, Executor executor, Runnable given) {
    Place place = new Place(budget, bytes, executor, given);
    Queue<Place> served;
    synchronized (this) {
      budget.places.add(place);
      (budget.reserved == 0 ? turns : wantMore).add(budget);
      served = serve();
    }
    tell(served);
    return place;
  }

  /** Whether {@code place} has got its room, which is then the caller's to {@link #release}. */
  synchronized boolean take(Place place) {
    if (place.state != Place.State.GIVEN) {
      return false;
    }
    place.state = Place.State.OVER;
    return true;
  }

  /** Gives up {@code place}, and the room if it has got that and it was not taken. */
  void leave(Place place) {
    tell(giveUp(place));
  }

  /** Whether messages wait for what {@code budget}'s peer has reserved: its own, or others'. */
  synchronized boolean isShort(PeerBudget budget) {
    return !turns.isEmpty() || !budget.places.isEmpty();
  }

  /** Whether peers that have nothing wait for what others have reserved. */
  synchronized boolean isShort() {
    return !turns.isEmpty();
  }

  // --- under the lock
  // -----------------------------------------------------------------------------

  @GuardedBy("this")
  private boolean fits(PeerBudget budget, long bytes) {
    boolean fair = budget.reserved + bytes <= shared - reserved;
    boolean single = budget.reserved == 0 && reserved + bytes <= 2 * shared;
    return fair || single || reserved == 0;
  }

  @GuardedBy("this")
  private void take(PeerBudget budget, long bytes) {
    budget.reserved += bytes;
    reserved += bytes;
  }

  @GuardedBy("this")
  private void giveBack(PeerBudget budget, long bytes) {
    budget.reserved -= bytes;
    reserved -= bytes;
    if (budget.reserved == 0 && wantMore.remove(budget)) {
      turns.add(budget);
    }
  }

  private synchronized Queue<Place> giveUp(Place place) {
    PeerBudget budget = place.budget;
    if (place.state == Place.State.GIVEN) {
      giveBack(budget, place.bytes);
    } else if (budget.places.remove(place) && budget.places.isEmpty()) {
      turns.remove(budget);
      wantMore.remove(budget);
    }
    place.state = Place.State.OVER;
    return serve();
  }

  /** Gives room to those whose turn it is; who has got some is to be told, without the lock. */
  @GuardedBy("this")
  private Queue<Place> serve() {
    Queue<Place> served = new ArrayDeque<>(0);
    while (!turns.isEmpty()) {
      PeerBudget budget = turns.iterator().next();
      if (!serveNext(budget, served)) {
        return served;
      }
      turns.remove(budget);
      if (!budget.places.isEmpty()) {
        wantMore.add(budget);
      }
    }
    // Nothing fits into a share of nothing, which is so whenever many wait here.
    for (Iterator<PeerBudget> peers = wantMore.iterator(); reserved < shared && peers.hasNext(); ) {
      PeerBudget budget = peers.next();
      boolean more = true;
      while (more) {
        more = serveNext(budget, served);
      }
      if (budget.places.isEmpty()) {
        peers.remove();
      }
    }
    return served;
  }

  @GuardedBy("this")
  private boolean serveNext(PeerBudget budget, Queue<Place> served) {
    Place place = budget.places.peek();
    if (place == null || !fits(budget, place.bytes)) {
      return false;
    }
    budget.places.remove();
    take(budget, place.bytes);
    place.state = Place.State.GIVEN;
    served.add(place);
    return true;
  }

  // --- without the lock --------------------------------------------------------------------------

  private void tell(Queue<Place> served) {
    for (Place place; (place = served.poll()) != null; ) {
      if (!EventLoops.runLater(place.executor, place.given)) {
        served.addAll(giveUp(place)); // With its loop ended, too, what waited for the room.
      }
    }
  }
}
