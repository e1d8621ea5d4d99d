package io.grpcstream.netty;

import io.grpc.ClientStreamTracer;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/** What a call's latest attempt shows of itself to gRPC's tracers. */
final class CallTrace extends ClientStreamTracer.Factory {
  private volatile @Nullable Metadata trailers;
  private volatile @Nullable Deadline deadline;

  /**
   * Whether a call that ended like this did so by what the peer's service has sent. A channel that
   * is shut down at once takes the place of an answer that has come, but was not passed on yet.
   */
  boolean isToldByPeer(Status status, Metadata trailers) {
    Metadata told = this.trailers;
    return told != null && (told == trailers || status.getCode() != Status.Code.UNAVAILABLE);
  }

  /** The deadline by the call's options and by the service config. */
  @Nullable Deadline deadline() {
    return deadline;
  }

  @Override
  public ClientStreamTracer newClientStreamTracer(
      ClientStreamTracer.StreamInfo info, Metadata headers) {
    this.trailers = null;
    deadline = info.getCallOptions().getDeadline();
    return new ClientStreamTracer() {
      @Override
      public void inboundTrailers(Metadata trailers) {
        CallTrace.this.trailers = trailers;
      }
    };
  }
}
