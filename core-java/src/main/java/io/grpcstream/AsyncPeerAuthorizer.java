package io.grpcstream;

import io.grpcstream.libp2p.PeerId;
import java.util.concurrent.CompletionStage;

/** Decides which peers may open gRPC streams to us, where that has to be looked up first. */
@FunctionalInterface
public interface AsyncPeerAuthorizer {
  /**
   * Whether {@code peer} may use {@code protocol}. Asked once for each inbound stream, on the
   * stream's event loop: it must not block. Nothing of the stream is read until the stage is
   * complete; it has the time that {@link GrpcStream.Builder#backlogTimeout} sets, then the stream
   * is reset. A stage that fails is logged, and the stream is reset. When the stream ends before,
   * the stage's future is cancelled.
   *
   * @param peer the id that the peer has proven
   * @param protocol the protocol id the peer asked for
   */
  CompletionStage<Boolean> allows(PeerId peer, String protocol);
}
