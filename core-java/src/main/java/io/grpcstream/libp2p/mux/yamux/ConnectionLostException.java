package io.grpcstream.libp2p.mux.yamux;

import org.jspecify.annotations.Nullable;

/** The connection under the streams has ended, and every stream of it. */
public class ConnectionLostException extends YamuxException {
  private static final long serialVersionUID = 1L;

  ConnectionLostException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
