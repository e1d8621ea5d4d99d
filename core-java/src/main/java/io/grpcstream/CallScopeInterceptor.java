package io.grpcstream;

import io.grpc.Context;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCall.Listener;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Serves each call in a {@link CallScope} of its own, within those of the interceptors that run
 * before it. Thread-safe.
 */
public final class CallScopeInterceptor implements ServerInterceptor {
  private final Function<? super ServerCall<?, ?>, ? extends CallScope> scopes;

  /**
   * One that serves calls in what {@code scopes} makes for them: it is asked once a call, in the
   * context and the scopes around, and must not block.
   */
  public CallScopeInterceptor(Function<? super ServerCall<?, ?>, ? extends CallScope> scopes) {
    this.scopes = Objects.requireNonNull(scopes, "the function to the scope of a call is null");
  }

  @Override
  public <Q extends @Nullable Object, R extends @Nullable Object> Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    CallScope own = scopes.apply(call);
    CallScope outer = CallScope.current();
    CallScope all = outer == null ? own : () -> entered(outer, own);
    Context context = Context.current().withValue(CallScope.KEY, all);
    Context before = context.attach();
    CallScope.Entered entered = own.enter(); // This thread has the outer ones entered.
    try {
      return new ScopedListener<>(next.startCall(call, headers), own, context);
    } finally {
      entered.close();
      context.detach(before);
    }
  }

  private static CallScope.Entered entered(CallScope outer, CallScope inner) {
    CallScope.Entered first = outer.enter();
    CallScope.Entered second = inner.enter();
    return () -> {
      second.close();
      first.close();
    };
  }

  /** Passes events on in the call's scope and context. */
  private static final class ScopedListener<Q> extends SimpleForwardingServerCallListener<Q> {
    private final CallScope scope;
    private final Context context;

    ScopedListener(Listener<Q> delegate, CallScope scope, Context context) {
      super(delegate);
      this.scope = scope;
      this.context = context;
    }

    @Override
    public void onMessage(Q message) {
      run(() -> super.onMessage(message));
    }

    @Override
    public void onHalfClose() {
      run(super::onHalfClose);
    }

    @Override
    public void onReady() {
      run(super::onReady);
    }

    @Override
    public void onCancel() {
      run(super::onCancel);
    }

    @Override
    public void onComplete() {
      run(super::onComplete);
    }

    private void run(Runnable event) {
      Context before = context.attach();
      try {
        scope.run(event);
      } finally {
        context.detach(before);
      }
    }
  }
}
