package io.grpcstream.libp2p.mux.yamux;

import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * Which ids the other side has used. Ids ascend, but two SYNs that are sent at once may overtake
 * each other (go-yamux takes the id and sends the frame in two steps), so ids that were skipped may
 * still be used. Only the nearest {@value #MAX_SKIPPED} are remembered: an ACK backlog of 256 keeps
 * no more than that in flight. Used on the event loop only.
 */
final class InboundStreamIds {
  private static final int MAX_SKIPPED = 256;

  private final long first;
  private long highest;
  private final Set<Long> skipped = new LinkedHashSet<>();

  /**
   * The ids of the other side.
   *
   * @param odd whether they are odd: whether the other side dialled the connection
   */
  InboundStreamIds(boolean odd) {
    this.first = odd ? 1 : 2;
    this.highest = first - 2;
  }

  /** Whether the id is one that the other side may open streams with. */
  boolean belongs(long id) {
    return id != 0 && id % 2 == first % 2;
  }

  /** Whether a SYN with this id has been seen, or the id lies too far back to tell. */
  boolean used(long id) {
    return id <= highest && !skipped.contains(id);
  }

  /** Marks an unused id as used. */
  void use(long id) {
    if (id <= highest) {
      skipped.remove(id);
      return;
    }
    for (long gap = Math.max(highest + 2, id - 2L * MAX_SKIPPED); gap < id; gap += 2) {
      skipped.add(gap);
    }
    highest = id;
    Iterator<Long> oldest = skipped.iterator();
    for (int excess = skipped.size() - MAX_SKIPPED; excess > 0; excess--) {
      oldest.next();
      oldest.remove();
    }
  }
}
