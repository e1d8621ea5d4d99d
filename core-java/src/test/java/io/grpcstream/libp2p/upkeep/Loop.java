package io.grpcstream.libp2p.upkeep;

import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.concurrent.EventExecutor;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** An event loop whose time stands still until it is told, and goes by steps then. */
final class Loop {
  private static final Duration STEP = Duration.ofMillis(10);

  private final EmbeddedChannel channel = new EmbeddedChannel();
  private long now = -TimeUnit.DAYS.toNanos(1); // As nanoTime may be.

  Loop() {
    channel.freezeTime();
  }

  EventExecutor executor() {
    return channel.eventLoop();
  }

  long now() {
    return now;
  }

  /** Runs what is due. */
  void run() {
    channel.runPendingTasks();
    channel.runScheduledPendingTasks();
    channel.runPendingTasks();
  }

  /** Lets so much time pass, and all that becomes due in it happen when it is. */
  void pass(Duration time) {
    long end = now + time.toNanos();
    run();
    while (now < end) {
      long step = Math.min(STEP.toNanos(), end - now);
      now += step;
      channel.advanceTimeBy(step, TimeUnit.NANOSECONDS);
      run();
    }
  }

  /** Whether a timer is set. */
  boolean hasTimers() {
    return channel.runScheduledPendingTasks() != -1;
  }
}
