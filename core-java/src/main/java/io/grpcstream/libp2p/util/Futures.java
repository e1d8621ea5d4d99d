package io.grpcstream.libp2p.util;

import io.netty.channel.Channel;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;

/** Completing one future with the outcome of another. */
public final class Futures {
  private Futures() {}

  /** Gives {@code target} the outcome of {@code source}, a failure without its wrapping. */
  public static <T> void relay(CompletionStage<? extends T> source, CompletableFuture<T> target) {
    source.whenComplete(
        (value, failure) -> {
          if (failure == null) {
            target.complete(value);
          } else {
            target.completeExceptionally(unwrap(failure));
          }
        });
  }

  /**
   * Completes when {@code channel} is closed, also if that was long ago: an event loop that has
   * ended calls no listeners.
   */
  public static CompletableFuture<Void> closed(Channel channel) {
    CompletableFuture<Void> closed = new CompletableFuture<>();
    if (!channel.closeFuture().isDone()) {
      channel.closeFuture().addListener(f -> closed.complete(null));
    }
    if (channel.closeFuture().isDone()) {
      closed.complete(null);
    }
    return closed;
  }

  /** What futures wrapped, however often, when they passed a failure on. */
  public static Throwable unwrap(Throwable failure) {
    Throwable cause = failure;
    while ((cause instanceof CompletionException || cause instanceof ExecutionException)
        && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }
}
