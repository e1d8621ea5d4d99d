package io.grpcstream.libp2p.security.tls;

import io.grpcstream.libp2p.util.ProtocolViolation;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The remote broke the TLS protocol or libp2p's rules for it, or what it sent was changed on the
 * way. Nothing of the connection can be trusted after this; it is closed.
 */
public final class TlsException extends IOException implements ProtocolViolation {
  private static final long serialVersionUID = 1L;

  /** A failure described by {@code message}. */
  public TlsException(String message) {
    super(message);
  }

  /** A failure described by {@code message}. */
  public TlsException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
