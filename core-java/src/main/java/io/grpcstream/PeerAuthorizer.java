package io.grpcstream;

import io.grpcstream.libp2p.PeerId;

/** Decides which peers may open gRPC streams to us. */
@FunctionalInterface
public interface PeerAuthorizer {
  /**
   * Whether {@code peer} may use {@code protocol}. Asked once for each inbound stream, on the
   * stream's event loop: it must not block. If it throws, that is logged and the stream is reset.
   *
   * @param peer the id that the peer has proven
   * @param protocol the protocol id the peer asked for
   */
  boolean allows(PeerId peer, String protocol);
}
