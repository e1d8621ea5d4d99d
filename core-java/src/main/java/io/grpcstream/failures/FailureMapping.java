package io.grpcstream.failures;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Which status the failure of a service becomes: the first answer of the user's hooks, or else
 * {@code UNKNOWN}, but for the few exceptions that can mean one thing only. Nothing of a failure's
 * text reaches the peer by itself.
 */
public final class FailureMapping {
  /**
   * What a call is closed with.
   *
   * @param isChosen whether somebody has chosen the status for the failure; else its type gave it
   */
  record Closing(Status status, Metadata trailers, boolean isChosen) {
    /** One that somebody has chosen. */
    Closing(Status status, Metadata trailers) {
      this(status, trailers, true);
    }
  }

  private final List<Function<? super Throwable, ? extends @Nullable Status>> hooks;

  public FailureMapping(
      List<? extends Function<? super Throwable, ? extends @Nullable Status>> hooks) {
    this.hooks = List.copyOf(Objects.requireNonNull(hooks, "the hooks are null"));
  }

  /** One that asks {@code others}' hooks after its own. */
  FailureMapping then(FailureMapping others) {
    if (others.hooks.isEmpty()) {
      return this;
    }
    List<Function<? super Throwable, ? extends @Nullable Status>> all = new ArrayList<>(hooks);
    all.addAll(others.hooks);
    return new FailureMapping(all);
  }

  /** The status that {@code failure} carries itself, or null if it is no status exception. */
  static @Nullable Closing carriedBy(Throwable failure) {
    if (failure instanceof StatusException exception) {
      return new Closing(exception.getStatus(), copyOf(exception.getTrailers()));
    }
    if (failure instanceof StatusRuntimeException exception) {
      return new Closing(exception.getStatus(), copyOf(exception.getTrailers()));
    }
    return null;
  }

  /** The exception may be thrown again, for another call. */
  private static Metadata copyOf(@Nullable Metadata trailers) {
    Metadata copy = new Metadata();
    if (trailers != null) {
      copy.merge(trailers);
    }
    return copy;
  }

  /** Throws what a hook throws, unless that is a status. */
  Closing closingFor(Throwable failure) {
    Closing hooked = hooked(failure);
    if (hooked == null) {
      return new Closing(defaultStatus(failure).withCause(failure), new Metadata(), false);
    }
    if (hooked.status.isOk()) {
      throw new IllegalStateException("mapFailure made OK of a failure", failure);
    }
    return new Closing(hooked.status.withCause(failure), hooked.trailers);
  }

  private @Nullable Closing hooked(Throwable failure) {
    try {
      for (Function<? super Throwable, ? extends @Nullable Status> hook : hooks) {
        Status status = hook.apply(failure);
        if (status != null) {
          return new Closing(status, new Metadata());
        }
      }
      return null;
    } catch (Throwable e) { // Kotlin's hooks may throw a StatusException, which is a checked one.
      Closing carried = carriedBy(e);
      if (carried == null) {
        throw e;
      }
      return carried;
    }
  }

  private static Status defaultStatus(Throwable failure) {
    if (failure instanceof CancellationException) {
      return Status.CANCELLED;
    }
    if (failure instanceof TimeoutException) {
      return Status.DEADLINE_EXCEEDED;
    }
    if (failure instanceof SecurityException) {
      return Status.PERMISSION_DENIED;
    }
    return Status.UNKNOWN;
  }

  /**
   * The failure of the service that {@code status} hides, or null if the service chose the status
   * itself.
   *
   * <p>Services close with {@code UNKNOWN} or {@code CANCELLED} and the failure as cause. Those of
   * grpc-kotlin also take the status of a status exception which the failure merely wraps, such as
   * that of a call they made: that would tell our peer what another told us.
   */
  static @Nullable Throwable hiddenBy(Status status) {
    Throwable failure = status.getCause();
    if (failure == null || carriedBy(failure) != null) {
      return null;
    }
    boolean unnamed = status.getCode() == Status.Code.UNKNOWN && status.getDescription() == null;
    boolean cancelled =
        status.getCode() == Status.Code.CANCELLED && failure instanceof CancellationException;
    return unnamed || cancelled || wraps(failure, status) ? failure : null;
  }

  private static boolean wraps(Throwable failure, Status status) {
    for (Throwable cause = failure.getCause(); cause != null; cause = cause.getCause()) {
      Closing carried = carriedBy(cause);
      if (carried != null) {
        return carried.status.getCode() == status.getCode()
            && Objects.equals(carried.status.getDescription(), status.getDescription());
      }
    }
    return false;
  }
}
