package io.grpcstream.libp2p.host;

import io.grpcstream.libp2p.ConnectionListener;
import io.grpcstream.libp2p.resources.Observers;
import io.grpcstream.libp2p.util.EventLoops;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Tells observers how late each event loop runs a task, as long as the host lives. */
final class EventLoopDelays implements ConnectionListener {
  static final Duration INTERVAL = Duration.ofSeconds(1);

  private final Observers observers;
  private volatile List<Probe> probes = List.of();

  EventLoopDelays(Observers observers) {
    this.observers = observers;
  }

  /** Begins, if there is an observer. Once, by whoever starts the host. */
  void start(EventLoopGroup group) {
    if (observers.isEmpty()) {
      return;
    }
    List<Probe> all = new ArrayList<>();
    for (EventExecutor executor : group) {
      if (executor instanceof EventLoop loop) {
        all.add(new Probe(loop));
      }
    }
    probes = all;
    all.forEach(probe -> EventLoops.run(probe.loop, probe::plan));
  }

  /** Leaves nothing on the loops, which may be those of others. */
  @Override
  public void onHostShutdown() {
    probes.forEach(probe -> EventLoops.run(probe.loop, probe::stop));
  }

  /** One loop's task; used on that loop alone. */
  private final class Probe implements Runnable {
    final EventLoop loop;
    private @Nullable Future<?> next;
    private long due;
    private boolean stopped;

    Probe(EventLoop loop) {
      this.loop = loop;
    }

    void plan() {
      if (!stopped) {
        due = loop.ticker().nanoTime() + INTERVAL.toNanos();
        next = EventLoops.schedule(loop, this, INTERVAL);
      }
    }

    @Override
    public void run() {
      Duration late = Duration.ofNanos(Math.max(0, loop.ticker().nanoTime() - due));
      observers.tell(observer -> observer.onEventLoopDelay(late));
      plan();
    }

    void stop() {
      stopped = true;
      if (next != null) {
        next.cancel(false);
      }
    }
  }
}
