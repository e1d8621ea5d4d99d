package io.grpcstream.samples.interop;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;

/** Shows a call's name to the service, and sends the headers of {@link Echo} back. */
final class CallHeaders implements ServerInterceptor {
  /** The name of the call that runs, or null. */
  static final Context.Key<String> NAME = Context.key("x-call");

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    Context context = Context.current().withValue(NAME, headers.get(Calls.NAME));
    return Contexts.interceptCall(
        context, new EchoingCall<>(call, Echo.of(headers)), headers, next);
  }

  private static final class EchoingCall<Q, R> extends SimpleForwardingServerCall<Q, R> {
    private final Metadata echo;
    private boolean headersSent;

    EchoingCall(ServerCall<Q, R> call, Metadata echo) {
      super(call);
      this.echo = echo;
    }

    @Override
    public void sendHeaders(Metadata headers) {
      headersSent = true;
      headers.merge(echo);
      super.sendHeaders(headers);
    }

    @Override
    public void close(Status status, Metadata trailers) {
      if (!headersSent && status.isOk()) {
        sendHeaders(new Metadata()); // Or there would be trailers alone.
      }
      trailers.merge(echo);
      super.close(status, trailers);
    }
  }
}
