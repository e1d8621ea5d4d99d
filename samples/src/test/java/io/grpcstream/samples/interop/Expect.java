package io.grpcstream.samples.interop;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** What scenarios expect, and wait for. Waiting ends with the scenario's time, by an interrupt. */
final class Expect {
  private static final Duration STILL = Duration.ofMillis(500);
  private static final Duration INTERVAL = Duration.ofMillis(20);

  private Expect() {}

  /** Checks that the call fails with that code, and returns the failure. */
  static Throwable code(Status.Code expected, ThrowingCallable call) {
    Throwable failure = org.assertj.core.api.Assertions.catchThrowable(call);
    assertThat(failure).as("end of the call").isNotNull();
    if (Status.fromThrowable(failure).getCode() != expected) {
      throw new AssertionError("end of the call: not " + expected + ", but " + failure, failure);
    }
    return failure;
  }

  /** Asks, 50 times a second, until the condition holds. */
  static void eventually(Callable<Boolean> condition) throws Exception {
    while (!condition.call()) {
      pause();
    }
  }

  /** Waits until a counter, above 0, has not moved for half a second, and returns it. */
  static int standstill(Callable<Integer> counter) throws Exception {
    int last = 0;
    long since = System.nanoTime();
    while (last == 0 || System.nanoTime() - since < STILL.toNanos()) {
      int now = counter.call();
      if (now != last) {
        last = now;
        since = System.nanoTime();
      }
      pause();
    }
    return last;
  }

  private static void pause() throws InterruptedException {
    LockSupport.parkNanos(INTERVAL.toNanos());
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
  }
}
