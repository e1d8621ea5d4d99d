package io.grpcstream.netty;

import com.google.common.util.concurrent.MoreExecutors;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A user's executor that does not lose the end of a call: what it rejects, as it was shut down or
 * is full, another one runs. gRPC would let the rejection end the whole connection, and all calls
 * of others on it, but never that call.
 */
final class FallbackExecutor implements Executor {
  private static final Logger log = LoggerFactory.getLogger(FallbackExecutor.class);

  private final Executor first;
  private final Executor second;

  private FallbackExecutor(Executor first, Executor second) {
    this.first = first;
    this.second = second;
  }

  /** {@code first} backed by {@code second}; itself if it is gRPC's direct one, which it knows. */
  static Executor of(Executor first, Executor second) {
    return first == MoreExecutors.directExecutor() ? first : new FallbackExecutor(first, second);
  }

  @Override
  public void execute(Runnable task) {
    try {
      first.execute(task);
    } catch (RejectedExecutionException e) {
      log.debug("{} takes no more work of a live call", first, e);
      second.execute(task);
    }
  }
}
