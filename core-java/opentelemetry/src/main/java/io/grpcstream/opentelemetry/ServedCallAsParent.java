package io.grpcstream.opentelemetry;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.MethodDescriptor;
import io.grpcstream.CallScope;
import io.opentelemetry.api.trace.Span;

/**
 * Calls that are made for a served call are its children also where only gRPC's context was carried
 * along, and not OpenTelemetry's: as by {@code io.grpc.Context.wrap}, or in the coroutines of a
 * generated service on a server without {@code grpcStream}.
 */
final class ServedCallAsParent implements ClientInterceptor {
  @Override
  public <Q, R> ClientCall<Q, R> interceptCall(
      MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
    CallScope served = CallScope.current();
    if (served == null || Span.current().getSpanContext().isValid()) {
      return next.newCall(method, options);
    }
    CallScope.Entered entered = served.enter();
    try {
      return next.newCall(method, options);
    } finally {
      entered.close();
    }
  }
}
