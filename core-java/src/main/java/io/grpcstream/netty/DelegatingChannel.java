package io.grpcstream.netty;

import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import java.util.concurrent.TimeUnit;

/** A channel that has gRPC's own below it, and leaves to that what it does not do itself. */
abstract class DelegatingChannel extends ManagedChannel {
  final ManagedChannel delegate;

  DelegatingChannel(ManagedChannel delegate) {
    this.delegate = delegate;
  }

  @Override
  public boolean isShutdown() {
    return delegate.isShutdown();
  }

  @Override
  public boolean isTerminated() {
    return delegate.isTerminated();
  }

  @Override
  public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
    return delegate.awaitTermination(timeout, unit);
  }

  @Override
  public ConnectivityState getState(boolean requestConnection) {
    return delegate.getState(requestConnection);
  }

  @Override
  public void notifyWhenStateChanged(ConnectivityState source, Runnable callback) {
    delegate.notifyWhenStateChanged(source, callback);
  }

  @Override
  public String authority() {
    return delegate.authority();
  }
}
