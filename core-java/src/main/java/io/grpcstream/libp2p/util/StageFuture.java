package io.grpcstream.libp2p.util;

import io.netty.util.concurrent.BlockingOperationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * What users get as a stage: it, and what they make of it, may be waited for on any thread but a
 * {@link HostThread}. There, where most stages complete and so most callbacks run, a wait would
 * hold up what it waits for, and for ever: it fails at once with {@link
 * BlockingOperationException}.
 */
public final class StageFuture<T> extends CompletableFuture<T> {
  /** One with the outcome of {@code source}, over which whoever gets it has no power. */
  public static <T> StageFuture<T> copyOf(CompletionStage<? extends T> source) {
    StageFuture<T> copy = new StageFuture<>();
    Futures.relay(source, copy);
    return copy;
  }

  /** One that has failed; what is made of it may wait for other things. */
  public static <T> StageFuture<T> failed(Throwable failure) {
    StageFuture<T> failed = new StageFuture<>();
    failed.completeExceptionally(failure);
    return failed;
  }

  @Override
  public <U> CompletableFuture<U> newIncompleteFuture() {
    return new StageFuture<>();
  }

  @Override
  public T get() throws InterruptedException, ExecutionException {
    checkMayWait();
    return super.get();
  }

  @Override
  public T get(long timeout, TimeUnit unit)
      throws InterruptedException, ExecutionException, TimeoutException {
    checkMayWait();
    return super.get(timeout, unit);
  }

  @Override
  public T join() {
    checkMayWait();
    return super.join();
  }

  private void checkMayWait() {
    if (!isDone() && HostThread.isCurrent()) {
      throw new BlockingOperationException(
          "waiting on "
              + Thread.currentThread().getName()
              + ", an event loop of a host, which would stop all its connections, and may be what it"
              + " waits for; compose stages (thenCompose in place of join), or leave the event loop"
              + " first (thenApplyAsync in place of thenApply)");
    }
  }
}
