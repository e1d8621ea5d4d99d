package io.grpcstream.libp2p.protocol.ping;

import io.grpcstream.libp2p.Libp2pException;
import org.jspecify.annotations.Nullable;

/** A ping was not answered, or not with the bytes that were sent. The stream has been reset. */
public final class PingException extends Libp2pException {
  private static final long serialVersionUID = 1L;

  /** A failure; {@code message} names the peer and what was found. */
  public PingException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
