package io.grpcstream.netty;

import io.netty.channel.AbstractEventLoop;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/**
 * The event loop of a stream, as gRPC's client sees it: the same loop, except that a stream's
 * channel, which is registered already, may be "registered" with it, and that it is not gRPC's to
 * shut down.
 */
final class StreamEventLoop extends AbstractEventLoop {
  private final EventLoop loop;

  StreamEventLoop(EventLoop loop) {
    this.loop = loop;
  }

  @Override
  public void execute(Runnable task) {
    loop.execute(task);
  }

  @Override
  public boolean inEventLoop(Thread thread) {
    return loop.inEventLoop(thread);
  }

  @Override
  public ChannelFuture register(Channel channel) {
    return register(channel.newPromise());
  }

  @Override
  public ChannelFuture register(ChannelPromise promise) {
    if (!promise.channel().isRegistered() && !inEventLoop()) {
      // A stream made just now, on this thread: a task before this one registers its channel.
      loop.execute(() -> Registration.complete(loop, promise));
      return promise;
    }
    return Registration.complete(loop, promise);
  }

  @Deprecated
  @Override
  @SuppressWarnings("InlineMeSuggester")
  public ChannelFuture register(Channel channel, ChannelPromise promise) {
    return register(promise);
  }

  @Override
  public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
    return loop.schedule(task, delay, unit);
  }

  @Override
  public <V> ScheduledFuture<V> schedule(Callable<V> task, long delay, TimeUnit unit) {
    return loop.schedule(task, delay, unit);
  }

  @Override
  public ScheduledFuture<?> scheduleAtFixedRate(
      Runnable task, long initialDelay, long period, TimeUnit unit) {
    return loop.scheduleAtFixedRate(task, initialDelay, period, unit);
  }

  @Override
  public ScheduledFuture<?> scheduleWithFixedDelay(
      Runnable task, long initialDelay, long delay, TimeUnit unit) {
    return loop.scheduleWithFixedDelay(task, initialDelay, delay, unit);
  }

  @Override
  public Future<?> shutdownGracefully(long quietPeriod, long timeout, TimeUnit unit) {
    throw new UnsupportedOperationException("the event loop belongs to the stream's connection");
  }

  @Deprecated
  @Override
  public void shutdown() {
    throw new UnsupportedOperationException("the event loop belongs to the stream's connection");
  }

  @Override
  public Future<?> terminationFuture() {
    return loop.terminationFuture();
  }

  @Override
  public boolean isShuttingDown() {
    return loop.isShuttingDown();
  }

  @Override
  public boolean isShutdown() {
    return loop.isShutdown();
  }

  @Override
  public boolean isTerminated() {
    return loop.isTerminated();
  }

  @Override
  public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
    return loop.awaitTermination(timeout, unit);
  }
}
