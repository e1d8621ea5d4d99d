package io.grpcstream.failures;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpc.Grpc;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.util.LogRateLimit;
import io.grpcstream.netty.StreamAttachment;
import io.grpcstream.netty.UserLog;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * Logs failures of services: once with its stack what nobody foresaw, as an error ({@code UNKNOWN},
 * {@code INTERNAL}), or as a warning where the type alone gave another status; in one line, for
 * information, what somebody has chosen a status for.
 *
 * <p>Peers can cause them at will, so there is a limit: failures of one kind, which is a method, a
 * type of exception and the place where it was thrown, are logged once in {@value #WINDOW_SECONDS}
 * seconds. The first of each kind is never missed, however many there are of others, and the next
 * tells how many were left out; those are seen at debug level. A service has no more than so many
 * places that throw; past {@value #MAX_KINDS} kinds, all others share one. Thread-safe.
 */
public final class FailureLog {
  static final int WINDOW_SECONDS = 10;
  static final int MAX_KINDS = 256;

  private static final Duration WINDOW = Duration.ofSeconds(WINDOW_SECONDS);
  private static final Kind OTHERS = new Kind("", "", null);

  private final Logger logger;
  private final LongSupplier nanoTime;

  @GuardedBy("this")
  private final Map<Kind, LogRateLimit> windows = new HashMap<>();

  public FailureLog() {
    this(UserLog.LOG, System::nanoTime);
  }

  public FailureLog(Logger logger, LongSupplier nanoTime) {
    this.logger = logger;
    this.nanoTime = nanoTime;
  }

  /** A call failed, and is closed with {@code status}. */
  void failed(ServerCall<?, ?> call, Status status, Throwable failure) {
    write(isOwnFault(status), call, failedWith(status), failure);
  }

  /**
   * The same, where the service or the user's mapping has chosen the status: no more than a line,
   * as it was foreseen, unless the choice says that the service itself is broken, or it was an
   * {@code Error} that went round.
   */
  void failedAsChosen(ServerCall<?, ?> call, Status status, Throwable failure) {
    if (isOwnFault(status) || failure instanceof Error) {
      failed(call, status, failure);
      return;
    }
    long before = linesLeftOut(kindOf(call, failure));
    if (before < 0) {
      noted(call, failedWith(status), failure);
    } else {
      emit(
          call,
          () ->
              logger.info(
                  "{}: {}: {}{}{}",
                  describe(call),
                  failedWith(status),
                  failure.toString(),
                  placeOf(failure),
                  leftOut(before)));
    }
  }

  private static boolean isOwnFault(Status status) {
    return status.getCode() == Status.Code.UNKNOWN || status.getCode() == Status.Code.INTERNAL;
  }

  private static String failedWith(Status status) {
    return "failed with " + status.getCode();
  }

  private static String placeOf(Throwable failure) {
    StackTraceElement[] stack = failure.getStackTrace();
    return stack.length == 0 ? "" : ", at " + stack[0];
  }

  /** A service went on to fail when it had closed its call already. */
  void failedAfterEnd(ServerCall<?, ?> call, Throwable failure) {
    write(true, call, "failed after its end", failure);
  }

  /** The user's mapping threw {@code thrown}, instead of mapping {@code failure}: one line. */
  void hookFailed(ServerCall<?, ?> call, Throwable thrown, Throwable failure) {
    // Nothing is added to the user's exception, which may be thrown again and again.
    RuntimeException both =
        new RuntimeException("thrown instead of a status: " + thrown.getClass().getName(), thrown);
    both.addSuppressed(failure);
    write(true, call, "mapFailure failed, so the call fails with INTERNAL", both);
  }

  /** An interceptor threw instead of passing on the end of a call. */
  void notClosed(ServerCall<?, ?> call, Status status, Throwable failure) {
    write(true, call, "an interceptor failed to close it with " + status.getCode(), failure);
  }

  /** The peer sent a request that cannot be parsed: one line, as the stack would be ours. */
  void malformed(ServerCall<?, ?> call, Throwable failure) {
    long before = linesLeftOut(kindOf(call, failure));
    if (before < 0) {
      emit(
          call,
          () -> logger.debug("{}: malformed request: {}", describe(call), failure.toString()));
    } else {
      emit(
          call,
          () ->
              logger.warn(
                  "{}: malformed request: {}{}",
                  describe(call),
                  failure.toString(),
                  leftOut(before)));
    }
  }

  /** Something that is part of ordinary life, such as a peer that does not wait for the answer. */
  void noted(ServerCall<?, ?> call, String what, Throwable failure) {
    if (logger.isDebugEnabled()) {
      emit(call, () -> logger.debug("{}: {}", describe(call), what, failure));
    }
  }

  private void write(boolean error, ServerCall<?, ?> call, String what, Throwable failure) {
    long before = linesLeftOut(kindOf(call, failure));
    if (before < 0) {
      noted(call, what, failure);
      return;
    }
    String text = describe(call) + ": " + what + leftOut(before);
    if (error) {
      emit(call, () -> logger.error(text, failure));
    } else {
      emit(call, () -> logger.warn(text, failure));
    }
  }

  /**
   * Writes a line with what the user's logging knows of the call, on whatever thread. The call goes
   * on to its end whatever comes of it: of an exception that throws when it is asked for its text,
   * say.
   */
  private void emit(ServerCall<?, ?> call, Runnable line) {
    try {
      if (call instanceof FailureCall<?, ?> failing) {
        failing.inScope(line);
      } else {
        line.run();
      }
    } catch (RuntimeException e) {
      logger.error("{}: its failure cannot be logged", describe(call), e);
    }
  }

  private static String leftOut(long before) {
    return before == 0 ? "" : " (" + before + " more like it before are not shown)";
  }

  private static String describe(ServerCall<?, ?> call) {
    Stream stream = call.getAttributes().get(StreamAttachment.STREAM);
    Object caller =
        stream != null
            ? StreamAttachment.describe(stream)
            : call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
    return call.getMethodDescriptor().getFullMethodName()
        + (caller == null ? ", called by a local client" : ", called over " + caller);
  }

  private static Kind kindOf(ServerCall<?, ?> call, Throwable failure) {
    StackTraceElement[] stack = failure.getStackTrace();
    return new Kind(
        call.getMethodDescriptor().getFullMethodName(),
        failure.getClass().getName(),
        stack.length == 0 ? null : stack[0]);
  }

  /** How many of this kind were left out before this one, or -1 if it must not be logged either. */
  private synchronized long linesLeftOut(Kind kind) {
    LogRateLimit window = windows.get(kind);
    if (window == null) {
      Kind counted = windows.size() < MAX_KINDS ? kind : OTHERS;
      window = windows.computeIfAbsent(counted, added -> new LogRateLimit(1, WINDOW, nanoTime));
    }
    return window.leftOut();
  }

  private record Kind(String method, String type, @Nullable StackTraceElement place) {}
}
