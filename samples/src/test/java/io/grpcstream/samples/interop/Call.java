package io.grpcstream.samples.interop;

import io.grpc.Context;
import io.grpc.Deadline;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** What a server knows about one of its calls; {@code interop.Call} tells it. Thread-safe. */
public final class Call {
  private final CompletableFuture<Void> resumed = new CompletableFuture<>();
  private boolean started;
  private int sent;
  private int received;
  private long deadlineMillis;
  private boolean cancelled;

  /** Notes that the call has arrived; its context is the current one. */
  public synchronized void start() {
    started = true;
    Deadline deadline = Context.current().getDeadline();
    if (deadline != null) {
      deadlineMillis = deadline.timeRemaining(TimeUnit.MILLISECONDS);
    }
  }

  /** Notes a payload that was handed to gRPC. */
  public synchronized void countSent() {
    sent++;
  }

  /** Notes a payload that was read. */
  public synchronized void countReceived() {
    received++;
  }

  /** Notes that the call was cancelled before the service had ended it. */
  public synchronized void cancel() {
    cancelled = true;
  }

  /** Lets an Upload go on. */
  public void resume() {
    resumed.complete(null);
  }

  /** Completes once an Upload may go on. */
  public CompletableFuture<Void> resumed() {
    return resumed;
  }

  public synchronized io.grpcstream.interop.Call message() {
    return io.grpcstream.interop.Call.newBuilder()
        .setStarted(started)
        .setSent(sent)
        .setReceived(received)
        .setDeadlineMillis(deadlineMillis)
        .setCancelled(cancelled)
        .build();
  }
}
