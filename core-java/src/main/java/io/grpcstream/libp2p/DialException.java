package io.grpcstream.libp2p;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * No usable connection to a peer came about. The message lists each address tried with the reason
 * it failed; the reasons themselves are the {@linkplain #getSuppressed() suppressed} exceptions, in
 * the order of {@link #addresses()}, and the first of them is the cause. Where another peer
 * answered than the one wanted, that comes first, as a {@link PeerIdMismatchException}.
 */
public final class DialException extends Libp2pException {
  private static final long serialVersionUID = 1L;

  private final transient @Nullable PeerId peer;
  private final transient List<Multiaddr> addresses;

  /**
   * A failed dial.
   *
   * @param peer the peer wanted, or null if any identity would have been taken
   * @param addresses the addresses tried; empty if none was known
   */
  public DialException(
      String message, @Nullable PeerId peer, List<Multiaddr> addresses, List<Throwable> causes) {
    super(message, causes.isEmpty() ? null : causes.get(0));
    this.peer = peer;
    this.addresses = List.copyOf(addresses);
    causes.stream().skip(1).forEach(this::addSuppressed);
  }

  /** The peer that was wanted, or null if the address dialled named none. */
  public @Nullable PeerId peer() {
    return peer;
  }

  /**
   * The addresses that were tried, those at which another peer answered first, else in the order in
   * which they failed.
   */
  public List<Multiaddr> addresses() {
    return addresses;
  }
}
