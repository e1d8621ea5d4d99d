package io.grpcstream.libp2p.upkeep;

import io.grpcstream.libp2p.PeerId;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The peers whose connections are not to be closed, and who wants that. A tag is a user's text, or
 * an object of the host's own, which no text is equal to. Thread-safe.
 */
public final class ProtectedPeers {
  private final Map<PeerId, Set<Object>> tags = new ConcurrentHashMap<>();

  /** Protects {@code peer} for {@code tag}; again for the same does nothing. */
  public void protect(PeerId peer, Object tag) {
    tags.compute(
        peer,
        (p, held) -> {
          Set<Object> all = held == null ? ConcurrentHashMap.newKeySet() : held;
          all.add(tag);
          return all;
        });
  }

  /** Ends the protection for {@code tag}. Returns whether there is some left for others. */
  public boolean unprotect(PeerId peer, Object tag) {
    return tags.computeIfPresent(
            peer,
            (p, held) -> {
              held.remove(tag);
              return held.isEmpty() ? null : held;
            })
        != null;
  }

  /** Whether {@code peer} is protected, for whatever tag. */
  public boolean contains(PeerId peer) {
    return tags.containsKey(peer);
  }
}
