package io.grpcstream.libp2p.connection;

import io.grpcstream.libp2p.PeerId;
import java.util.OptionalLong;

/** A connection that can be closed while nobody uses it. Any thread. */
public interface Reclaimable {
  /** Whose connection it is. */
  PeerId remotePeer();

  /** Whether this host has dialled it. */
  boolean isInitiator();

  /** When it was made, by {@link System#nanoTime()}. */
  long openedAt();

  /** Since when nobody uses it, by {@link System#nanoTime()}; empty if somebody does. */
  OptionalLong unusedSince();

  /**
   * Closes it, if it was not used since {@code when}, as {@link #unusedSince()} said: who comes to
   * use it from now on finds it closing.
   *
   * @return whether it is closed, by this call
   */
  boolean closeIfUnusedSince(long when);
}
