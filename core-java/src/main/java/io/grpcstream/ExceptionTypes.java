package io.grpcstream;

import io.grpc.Status;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * Codes for the JDK's everyday exceptions, for services that throw them to speak to their callers:
 * {@code builder.mapFailure(ExceptionTypes::statusOf)}.
 *
 * <p>This is not the default, since the same exceptions come from anywhere within a service, a
 * library or the JDK: there they are mistakes of the service's own, which a caller that is told
 * {@code INVALID_ARGUMENT} or {@code NOT_FOUND} would look for on its side, and which monitoring
 * would not see. The log has them in one line at level info then, not with the stack of an error.
 */
public final class ExceptionTypes {
  private ExceptionTypes() {}

  /**
   * What {@code failure} says by its type, without its text.
   *
   * @return {@code INVALID_ARGUMENT} for {@link IllegalArgumentException}, {@code NOT_FOUND} for
   *     {@link NoSuchElementException}, {@code FAILED_PRECONDITION} for {@link
   *     IllegalStateException}, {@code UNIMPLEMENTED} for {@link UnsupportedOperationException};
   *     null for any other, and for {@link CancellationException}
   */
  public static @Nullable Status statusOf(Throwable failure) {
    Objects.requireNonNull(failure, "the failure is null");
    if (failure instanceof IllegalArgumentException) {
      return Status.INVALID_ARGUMENT;
    }
    if (failure instanceof NoSuchElementException) {
      return Status.NOT_FOUND;
    }
    if (failure instanceof IllegalStateException && !(failure instanceof CancellationException)) {
      return Status.FAILED_PRECONDITION;
    }
    if (failure instanceof UnsupportedOperationException) {
      return Status.UNIMPLEMENTED;
    }
    return null;
  }
}
