package io.grpcstream.netty;

import io.grpc.ClientStreamTracer;
import io.grpc.Deadline;
import io.grpc.Metadata;
import org.jspecify.annotations.Nullable;

/** What a call's latest attempt shows of itself to gRPC's tracers. */
final class CallTrace extends ClientStreamTracer.Factory {
  private volatile boolean toldByPeer;
  private volatile @Nullable Deadline deadline;

  /** Whether the status of the call is one that the peer's service has sent. */
  boolean isToldByPeer() {
    return toldByPeer;
  }

  /** The deadline by the call's options and by the service config. */
  @Nullable Deadline deadline() {
    return deadline;
  }

  @Override
  public ClientStreamTracer newClientStreamTracer(
      ClientStreamTracer.StreamInfo info, Metadata headers) {
    toldByPeer = false;
    deadline = info.getCallOptions().getDeadline();
    return new ClientStreamTracer() {
      @Override
      public void inboundTrailers(Metadata trailers) {
        toldByPeer = true;
      }
    };
  }
}
