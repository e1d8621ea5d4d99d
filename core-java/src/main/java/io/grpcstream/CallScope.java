package io.grpcstream;

import io.grpc.Context;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What of a served call is bound to threads: logging's MDC, the current span of a trace. It is
 * entered on each thread that works for the call, while it does: where interceptors and services
 * run, in the coroutines of {@code grpcStream} and {@code grpcService}, and around the log lines of
 * the call's failures.
 *
 * <pre>{@code
 * GrpcStream.builder().intercept(new CallScopeInterceptor(call -> {
 *   Tenant tenant = Tenant.of(call);
 *   return () -> {
 *     Tenant before = Tenant.CURRENT.get();
 *     Tenant.CURRENT.set(tenant);
 *     return () -> Tenant.CURRENT.set(before);
 *   };
 * }))
 * }</pre>
 *
 * <p>Threads that the service gives work itself are its own affair: {@link Context#wrap(Runnable)}
 * takes {@link #KEY} there, and {@link #run} enters it.
 */
@FunctionalInterface
public interface CallScope {
  /** The scope of the call that is served in a {@link Context}; within several, all of them. */
  Context.Key<CallScope> KEY = Context.key("io.grpcstream.call-scope");

  /**
   * Makes the state that of the calling thread, until what is returned is closed: on the same
   * thread, and after all that was entered later. Called often; must neither block nor throw.
   */
  Entered enter();

  /** Runs {@code task} in this scope. */
  default void run(Runnable task) {
    Objects.requireNonNull(task, "the task is null");
    Entered entered = enter();
    try {
      task.run();
    } finally {
      entered.close();
    }
  }

  /** The scope of the current {@link Context}; null outside of calls, and in calls without one. */
  static @Nullable CallScope current() {
    return KEY.get();
  }

  /** Ends what {@link #enter} began. */
  @FunctionalInterface
  interface Entered extends AutoCloseable {
    /** Gives the thread back the state that it had before. Must not throw. */
    @Override
    void close();
  }
}
