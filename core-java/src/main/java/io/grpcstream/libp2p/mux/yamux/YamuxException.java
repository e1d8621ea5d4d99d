package io.grpcstream.libp2p.mux.yamux;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A yamux session or stream failed. The text names stream, limit and value; whoever knows the peer
 * adds its name. That the peer broke the protocol is a {@link YamuxViolationException}.
 */
public class YamuxException extends IOException {
  private static final long serialVersionUID = 1L;

  /** A failure with a text for people. */
  public YamuxException(String message) {
    super(message);
  }

  /** A failure with a text for people and what led to it. */
  public YamuxException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
