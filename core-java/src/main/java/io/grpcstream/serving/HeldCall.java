package io.grpcstream.serving;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCall.Listener;
import io.grpc.Status;
import io.grpcstream.netty.UserLog;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a call hears until it may begin, kept in order: few events, as nothing is read of a call
 * that has not begun. They are passed on by the thread that releases the call; those that come
 * while it does so wait for their turn.
 */
final class HeldCall<Q> extends Listener<Q> {
  private final ServerCall<Q, ?> call;
  private final Future<?> decision;

  @GuardedBy("this")
  private final Queue<Consumer<Listener<Q>>> events = new ArrayDeque<>();

  @GuardedBy("this")
  private @Nullable Listener<Q> released;

  @GuardedBy("this")
  private boolean passingOn;

  private volatile boolean cancelled;

  /**
   * A call that was not released.
   *
   * @param decision to be cancelled if the call is
   */
  HeldCall(ServerCall<Q, ?> call, Future<?> decision) {
    this.call = call;
    this.decision = decision;
  }

  boolean isCancelled() {
    return cancelled;
  }

  /** Has {@code listener} hear all, from now on. */
  void release(Listener<Q> listener) {
    synchronized (this) {
      released = listener;
      passingOn = true;
    }
    passOn(listener);
  }

  private void passOn(Listener<Q> listener) {
    while (true) {
      Consumer<Listener<Q>> event;
      synchronized (this) {
        event = events.poll();
        if (event == null) {
          passingOn = false;
          return;
        }
      }
      try {
        event.accept(listener);
      } catch (Throwable e) { // This may not be a thread of gRPC's, where it would be caught.
        fail(e);
      }
    }
  }

  /** Ends the call with what {@code failure} is mapped to; one that has ended stays as it is. */
  void fail(Throwable failure) {
    try {
      call.close(Status.UNKNOWN.withCause(failure), new Metadata());
    } catch (RuntimeException closed) { // The service has ended it before: its events go on.
      failure.addSuppressed(closed);
      UserLog.LOG.error(
          "{} failed after it had ended its call",
          call.getMethodDescriptor().getFullMethodName(),
          failure);
    }
  }

  private void hear(Consumer<Listener<Q>> event) {
    Listener<Q> listener;
    synchronized (this) {
      listener = passingOn ? null : released;
      if (listener == null) {
        events.add(event);
        return;
      }
    }
    event.accept(listener);
  }

  @Override
  public void onMessage(Q message) {
    hear(listener -> listener.onMessage(message));
  }

  @Override
  public void onHalfClose() {
    hear(Listener::onHalfClose);
  }

  @Override
  public void onCancel() {
    cancelled = true;
    decision.cancel(false);
    hear(Listener::onCancel);
  }

  @Override
  public void onComplete() {
    hear(Listener::onComplete);
  }

  @Override
  public void onReady() {
    hear(Listener::onReady);
  }
}
