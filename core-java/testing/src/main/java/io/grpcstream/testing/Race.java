package io.grpcstream.testing;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Threads that meet at a barrier before each race. */
public final class Race implements AutoCloseable {
  private final ExecutorService threads;

  /** As many threads as actions in the largest race. */
  public Race(int threads) {
    this.threads = Executors.newFixedThreadPool(threads);
  }

  /** Runs all of {@code actions} at the same moment, and returns what each found. */
  public <T> List<T> run(List<Callable<T>> actions) throws Exception {
    CyclicBarrier start = new CyclicBarrier(actions.size());
    List<Future<T>> running = new ArrayList<>();
    for (Callable<T> action : actions) {
      running.add(
          threads.submit(
              () -> {
                start.await();
                return action.call();
              }));
    }
    List<T> found = new ArrayList<>();
    for (Future<T> each : running) {
      found.add(each.get(20, TimeUnit.SECONDS));
    }
    return found;
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
