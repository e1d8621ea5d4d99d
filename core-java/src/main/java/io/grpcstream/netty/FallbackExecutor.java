package io.grpcstream.netty;

import com.google.common.util.concurrent.MoreExecutors;
import io.grpc.internal.SerializingExecutor;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The executor of one call, which does not lose the call's end.
 *
 * <ul>
 *   <li>What the user's executor rejects, as it was shut down or is full, another one runs. gRPC
 *       would let the rejection end the whole connection, and all calls of others on it, but never
 *       that call.
 *   <li>A call that has waited for its stream is put on it here. If the stream's event loop has
 *       ended meanwhile, that fails, and gRPC would forget the call.
 * </ul>
 */
final class FallbackExecutor implements Executor {
  private static final Logger log = LoggerFactory.getLogger(FallbackExecutor.class);

  private final Executor first;
  private final Executor second;
  private final Consumer<RejectedExecutionException> forgotten;

  /**
   * {@code first} backed by {@code second}.
   *
   * @param first null for {@code second} alone
   * @param forgotten told of the failure when gRPC forgets the call
   */
  FallbackExecutor(
      @Nullable Executor first, Executor second, Consumer<RejectedExecutionException> forgotten) {
    this.first = first == null ? second : first;
    this.second = second;
    this.forgotten = forgotten;
  }

  /**
   * Whether calls of that executor can be lost: not of gRPC's direct one, which it knows, and which
   * puts them on their streams on the event loop.
   */
  static boolean isNeeded(@Nullable Executor executor) {
    return executor != MoreExecutors.directExecutor();
  }

  @Override
  public void execute(Runnable task) {
    // What gRPC does for a call that is on its stream fails by itself, and is most of it.
    Runnable steps = task instanceof SerializingExecutor ? task : () -> run(task);
    try {
      first.execute(steps);
    } catch (RejectedExecutionException e) {
      log.debug("{} takes no more work of a live call", first, e);
      second.execute(steps);
    }
  }

  private void run(Runnable task) {
    try {
      task.run();
    } catch (RejectedExecutionException e) {
      forgotten.accept(e);
    }
  }
}
