package io.grpcstream.libp2p.multistream;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A negotiation failed: the remote broke the multistream-select rules, said nothing within the
 * deadline, or went away. Nothing more can be read from the channel; its owner closes it.
 */
public class MultistreamException extends IOException {
  private static final long serialVersionUID = 1L;

  /** A failure described by {@code message}. */
  public MultistreamException(String message) {
    super(message);
  }

  /** A failure of the channel below, described by {@code message}. */
  public MultistreamException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
