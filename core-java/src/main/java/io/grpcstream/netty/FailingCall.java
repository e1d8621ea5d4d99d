package io.grpcstream.netty;

import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** A call that fails as soon as it starts. */
final class FailingCall<Q, R> extends ClientCall<Q, R> {
  private final Status status;
  private final @Nullable Executor executor;

  FailingCall(Status status, @Nullable Executor executor) {
    this.status = status;
    this.executor = executor;
  }

  @Override
  public void start(Listener<R> listener, Metadata headers) {
    if (executor == null) {
      listener.onClose(status, new Metadata());
    } else {
      executor.execute(() -> listener.onClose(status, new Metadata()));
    }
  }

  // The call is over: what is asked of it has no effect.

  @Override
  public void request(int numMessages) {}

  @Override
  public void cancel(@Nullable String message, @Nullable Throwable cause) {}

  @Override
  public void halfClose() {}

  @Override
  public void sendMessage(Q message) {}
}
