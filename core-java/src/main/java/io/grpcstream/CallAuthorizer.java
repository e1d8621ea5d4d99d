package io.grpcstream;

import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpcstream.serving.AuthorizedCalls;
import java.util.concurrent.CompletionStage;

/**
 * Decides about each call by its caller, its method and its headers, such as a token that has to be
 * looked up:
 *
 * <pre>{@code
 * CallAuthorizer byToken = (peer, method, headers) ->
 *     tokens.lookUp(headers.get(TOKEN)).thenApply(
 *         user -> user.may(method.getFullMethodName()) ? Status.OK : Status.PERMISSION_DENIED);
 * GrpcStream.builder().intercept(byToken.asInterceptor())
 * }</pre>
 *
 * <p>Which peers may come at all is for a {@link PeerAuthorizer}: it is asked once a stream.
 */
@FunctionalInterface
public interface CallAuthorizer {
  /**
   * Whether a call may go on: {@code OK}, or the status with which it ends. Asked where the service
   * would run, and must not block if that is an event loop. The service is not told of the call,
   * and no message of it is read, until the stage is complete. A stage that fails ends the call
   * like a failure of the service, see {@link GrpcStream.Builder#mapFailure}. When the call is
   * cancelled before, the stage's future is cancelled.
   *
   * @param peer the caller
   * @param method the method that is called
   * @param headers what the caller sent with the call; not to be changed
   */
  CompletionStage<Status> authorize(
      PeerContext peer, MethodDescriptor<?, ?> method, Metadata headers);

  /**
   * The interceptor that asks this. What comes after it, interceptors and service, begins where the
   * stage is completed, if it is not complete at once: complete it on an executor of yours if the
   * service blocks.
   */
  default ServerInterceptor asInterceptor() {
    return new AuthorizedCalls(
        (call, headers) -> authorize(PeerContext.of(call), call.getMethodDescriptor(), headers));
  }
}
