package io.grpcstream.failures;

import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpcstream.libp2p.DialException;
import io.grpcstream.libp2p.GatedException;
import io.grpcstream.libp2p.HostNotStartedException;
import io.grpcstream.libp2p.PeerIdMismatchException;
import io.grpcstream.libp2p.libraries.Libraries;
import io.grpcstream.libp2p.util.Futures;
import java.io.IOException;
import java.util.Arrays;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeoutException;

/** Which gRPC status a failure of libp2p becomes. */
public final class FailureTable {
  private FailureTable() {}

  public static Status statusOf(Throwable failure) {
    Throwable cause = Futures.unwrap(failure);
    if (cause instanceof StatusException || cause instanceof StatusRuntimeException) {
      return Status.fromThrowable(cause);
    }
    String message = cause.getMessage() == null ? cause.toString() : cause.getMessage();
    if (cause instanceof LinkageError error) {
      message = Libraries.describe(error);
    }
    return codeOf(cause).withDescription(message).withCause(cause);
  }

  private static Status codeOf(Throwable cause) {
    if (cause instanceof PeerIdMismatchException || reachedAWrongPeer(cause)) {
      return Status.UNAUTHENTICATED;
    }
    if (cause instanceof GatedException) {
      return Status.PERMISSION_DENIED;
    }
    if (cause instanceof CancellationException) {
      return Status.CANCELLED;
    }
    if (cause instanceof IOException
        || cause instanceof TimeoutException
        || cause instanceof HostNotStartedException) {
      return Status.UNAVAILABLE;
    }
    return Status.fromThrowable(cause); // UNKNOWN, unless a status is found further down.
  }

  /**
   * Whether a dial found somebody else at one of the peer's addresses, whatever went wrong at the
   * others: who sits there could otherwise hide by keeping the peer itself from being reached, and
   * the caller would wait for a peer that is not who it says.
   */
  private static boolean reachedAWrongPeer(Throwable failure) {
    return failure instanceof DialException
        && (failure.getCause() instanceof PeerIdMismatchException
            || Arrays.stream(failure.getSuppressed())
                .anyMatch(PeerIdMismatchException.class::isInstance));
  }
}
