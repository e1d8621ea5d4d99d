package io.grpcstream.libp2p.mux.yamux;

import io.grpcstream.libp2p.mux.ConnectionEnded;
import org.jspecify.annotations.Nullable;

/** The connection under the streams has ended, and every stream of it. */
public class ConnectionLostException extends YamuxException implements ConnectionEnded {
  private static final long serialVersionUID = 1L;

  ConnectionLostException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
