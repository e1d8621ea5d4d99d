package io.grpcstream.failures;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpc.Context;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.grpcstream.failures.FailureMapping.Closing;
import java.util.concurrent.CancellationException;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A call on its way from a service to gRPC: it turns failures into statuses, and ends once.
 *
 * <p>A failure comes in one of two ways: as the cause of a status that hides it, in {@link #close},
 * or thrown, in {@link #fail}. Of two of these around the same call, the inner one maps what the
 * service closes with, and the outer one only what is thrown.
 */
public final class FailureCall<Q, R> extends SimpleForwardingServerCall<Q, R> {
  /** The outer one, for an inner one. */
  public static final Context.Key<FailureCall<?, ?>> KEY = Context.key("io.grpcstream.failures");

  private final FailureMapping mapping;
  private final FailureLog log;
  private final @Nullable FailureCall<?, ?> outer;
  private final Consumer<Runnable> scope;

  @GuardedBy("this")
  private boolean closed;

  private volatile boolean mapped;
  private volatile boolean failed;

  /**
   * A call.
   *
   * @param outer that around it, if there is one
   * @param scope runs what is logged, which may happen on any thread
   */
  public FailureCall(
      ServerCall<Q, R> call,
      FailureMapping mapping,
      FailureLog log,
      @Nullable FailureCall<?, ?> outer,
      Consumer<Runnable> scope) {
    super(call);
    this.mapping = mapping;
    this.log = outer == null ? log : outer.log;
    this.outer = outer;
    this.scope = scope;
  }

  /** Runs {@code line}, which logs, in the scope of the call. */
  void inScope(Runnable line) {
    scope.accept(line);
  }

  /** Whether {@link #fail} has ended it: then the service is to be told no more than that. */
  public boolean hasFailed() {
    return failed;
  }

  /** A failed call takes nothing more, but other threads of its service may not know yet. */
  @Override
  public void sendHeaders(Metadata headers) {
    if (!failed) {
      super.sendHeaders(headers);
    }
  }

  @Override
  public void sendMessage(R message) {
    if (!failed) {
      super.sendMessage(message);
    }
  }

  @Override
  public boolean isCancelled() {
    return failed || super.isCancelled();
  }

  @Override
  public void close(Status status, Metadata trailers) {
    if (failed) {
      return;
    }
    if (!claimEnd() || mapped) {
      super.close(status, trailers); // The second end is refused there, as by gRPC.
      return;
    }
    Closing closing = closing(status, trailers);
    if (outer == null) {
      super.close(closing.status(), closing.trailers());
      return;
    }
    outer.mapped = true;
    try {
      super.close(closing.status(), closing.trailers());
    } catch (Throwable e) { // Interceptors are the user's code, and the service has ended.
      outer.notClosed(closing.status(), e);
    }
  }

  private synchronized boolean claimEnd() {
    boolean first = !closed;
    closed = true;
    return first;
  }

  private Closing closing(Status status, Metadata trailers) {
    Throwable failure = FailureMapping.hiddenBy(status);
    if (failure == null) {
      if (status.getCause() != null && !super.isCancelled()) {
        log.failedAsChosen(this, status, status.getCause());
      }
      return new Closing(status, trailers);
    }
    if (failure instanceof CancellationException && super.isCancelled()) {
      return new Closing(status, trailers); // Nobody hears it, and nothing went wrong here.
    }
    Closing closing = mapped(failure);
    Metadata all = new Metadata(); // The given ones may be those of an exception that is kept.
    all.merge(trailers);
    all.merge(closing.trailers());
    return new Closing(closing.status(), all);
  }

  /** The outer one's before its own; made for the calls that fail. */
  private FailureMapping mapping() {
    return outer == null ? mapping : outer.mapping().then(mapping);
  }

  /** The status for {@code failure}, which is logged. */
  private Closing mapped(Throwable failure) {
    Closing closing;
    try {
      closing = mapping().closingFor(failure);
    } catch (Throwable e) { // Hooks are the user's code.
      log.hookFailed(this, e, failure);
      return new Closing(Status.INTERNAL.withCause(failure), new Metadata());
    }
    boolean cancellation =
        failure instanceof CancellationException
            && closing.status().getCode() == Status.Code.CANCELLED;
    if (cancellation) {
      log.noted(this, "cancelled by its service", failure);
    } else if (closing.isChosen()) {
      log.failedAsChosen(this, closing.status(), failure);
    } else {
      log.failed(this, closing.status(), failure);
    }
    return closing;
  }

  /** Ends the call with what {@code failure}, which nobody caught, is mapped to. */
  public void fail(Throwable failure) {
    Closing carried = FailureMapping.carriedBy(failure);
    if (super.isCancelled() && (carried != null || failure instanceof CancellationException)) {
      log.noted(this, "it is over, and the service hears of it", failure);
      return;
    }
    if (!claimEnd()) {
      log.failedAfterEnd(this, failure);
      return;
    }
    failed = true;
    if (carried == null || carried.status().isOk()) {
      carried = mapped(failure);
    } else if (carried.status().getCause() != null) {
      log.failedAsChosen(this, carried.status(), carried.status().getCause());
    }
    end(carried);
  }

  /** Ends the call of a peer whose request cannot be parsed. */
  public void refuse(MalformedRequest request) {
    if (claimEnd()) {
      failed = true;
      log.malformed(this, request.failure());
      end(new Closing(request.status(), new Metadata()));
    }
  }

  /** An interceptor has failed in the end of the call: it ends all the same. */
  private void notClosed(Status status, Throwable failure) {
    if (failure instanceof RejectedExecutionException) {
      log.noted(this, "the service goes on after its host's end", failure);
    } else if (claimEnd()) {
      failed = true;
      log.notClosed(this, status, failure);
      end(new Closing(Status.INTERNAL.withCause(failure), new Metadata()));
    } else {
      log.noted(this, "closed already, not with " + status, failure);
    }
  }

  private void end(Closing closing) {
    try {
      super.close(closing.status(), closing.trailers());
    } catch (IllegalStateException | RejectedExecutionException e) {
      log.noted(this, "it is over, and takes no " + closing.status().getCode(), e);
    }
  }
}
