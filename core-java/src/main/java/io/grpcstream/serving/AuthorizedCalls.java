package io.grpcstream.serving;

import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCall.Listener;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpcstream.libp2p.util.Futures;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/** Holds each call until it is authorized, with whatever it hears meanwhile. */
public final class AuthorizedCalls implements ServerInterceptor {
  private final BiFunction<ServerCall<?, ?>, Metadata, CompletionStage<Status>> authorizer;

  /**
   * An interceptor.
   *
   * @param authorizer answers OK for a call that may go on
   */
  public AuthorizedCalls(
      BiFunction<ServerCall<?, ?>, Metadata, CompletionStage<Status>> authorizer) {
    this.authorizer = authorizer;
  }

  @Override
  public <Q, R> Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    CompletableFuture<Status> decision = authorizer.apply(call, headers).toCompletableFuture();
    HeldCall<Q> held = new HeldCall<>(call, decision);
    Context context = Context.current();
    decision.whenComplete(
        (status, failure) ->
            context.run(
                () -> {
                  if (!held.isCancelled()) {
                    decided(call, headers, next, held, status, failure);
                  }
                }));
    return held;
  }

  private static <Q, R> void decided(
      ServerCall<Q, R> call,
      Metadata headers,
      ServerCallHandler<Q, R> next,
      HeldCall<Q> held,
      @Nullable Status status,
      @Nullable Throwable failure) {
    if (status == null) {
      Throwable why =
          failure == null
              ? new NullPointerException("the authorizer of calls answered null")
              : Futures.unwrap(failure);
      held.fail(why);
    } else if (status.isOk()) {
      try {
        held.release(next.startCall(call, headers));
      } catch (Throwable e) { // This may not be a thread of gRPC's, where it would be caught.
        held.fail(e);
      }
    } else {
      call.close(status, new Metadata());
    }
  }
}
