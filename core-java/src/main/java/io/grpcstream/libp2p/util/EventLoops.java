package io.grpcstream.libp2p.util;

import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tasks for event loops that may have ended, with their host or under it. Such a loop throws at
 * whoever gives it a task; here it is the caller's to say what happens instead. Any thread.
 */
public final class EventLoops {
  private static final Logger logger = LoggerFactory.getLogger(EventLoops.class);

  private EventLoops() {}

  /**
   * Says, where assertions are on, that what follows runs on {@code loop} alone: it stands at the
   * doors of classes that are "used on the event loop only".
   */
  public static void assertOn(EventExecutor loop) {
    assert loop.inEventLoop() : "%s is not on %s".formatted(Thread.currentThread(), loop);
  }

  /**
   * Runs {@code task} on {@code loop}: at once if that is the calling thread.
   *
   * @return false if the loop has ended: the task does not run
   */
  public static boolean run(EventExecutor loop, Runnable task) {
    if (loop.inEventLoop()) {
      task.run();
      return true;
    }
    return runLater(loop, task);
  }

  /**
   * Runs {@code task} in a later turn of {@code loop}, after all that is queued there.
   *
   * @return false if the loop has ended: the task does not run
   */
  public static boolean runLater(Executor loop, Runnable task) {
    try {
      loop.execute(task);
      return true;
    } catch (RejectedExecutionException e) {
      ended(loop, e);
      return false;
    }
  }

  /** Runs {@code task} in a later turn of {@code loop}, or here and now if that has ended. */
  public static void runLaterOrHere(EventExecutor loop, Runnable task) {
    if (!runLater(loop, task)) {
      task.run();
    }
  }

  /** Runs {@code task} on {@code loop} after {@code delay}; null if the loop has ended. */
  public static @Nullable ScheduledFuture<?> schedule(
      EventExecutor loop, Runnable task, Duration delay) {
    try {
      return loop.schedule(task, delay.toNanos(), TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      ended(loop, e);
      return null;
    }
  }

  /** The stack tells whose task it was. */
  private static void ended(Executor loop, RejectedExecutionException e) {
    logger.debug("{} has ended, and what ran on it", loop, e);
  }
}
