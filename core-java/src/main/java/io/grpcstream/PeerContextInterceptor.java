package io.grpcstream;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;

/** Puts the {@link PeerContext} of a call's transport into the call's {@link Context}. */
final class PeerContextInterceptor implements ServerInterceptor {
  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    PeerContext peer = call.getAttributes().get(PeerContext.TRANSPORT_ATTR);
    return Contexts.interceptCall(
        Context.current().withValue(PeerContext.KEY, peer), call, headers, next);
  }
}
