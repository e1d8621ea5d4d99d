package io.grpcstream.libp2p.security.noise;

import io.grpcstream.libp2p.util.ProtocolViolation;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The remote broke the Noise protocol, or what it sent was changed on the way. Nothing of the
 * connection can be trusted after this; it is closed.
 */
public final class NoiseException extends IOException implements ProtocolViolation {
  private static final long serialVersionUID = 1L;

  /** A failure described by {@code message}. */
  public NoiseException(String message) {
    super(message);
  }

  /** A failure described by {@code message}. */
  public NoiseException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
