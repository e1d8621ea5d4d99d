package io.grpcstream.libp2p.mux.yamux;

import io.grpcstream.libp2p.util.ProtocolViolation;

/** The other side broke the yamux protocol, or one of its limits: the session has ended for it. */
public final class YamuxViolationException extends YamuxException implements ProtocolViolation {
  private static final long serialVersionUID = 1L;

  YamuxViolationException(String message) {
    super(message);
  }
}
