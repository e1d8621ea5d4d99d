package io.grpcstream.libp2p.protocol.identify;

import io.grpcstream.libp2p.Libp2pException;
import org.jspecify.annotations.Nullable;

/**
 * A peer did not identify itself: what it sent was malformed, too large, too late or cut short, or
 * it claimed a key that is not its own. The stream has been reset.
 */
public final class IdentifyException extends Libp2pException {
  private static final long serialVersionUID = 1L;

  /** A failure; {@code message} names the peer and what was found. */
  public IdentifyException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
