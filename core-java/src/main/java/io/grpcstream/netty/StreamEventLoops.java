package io.grpcstream.netty;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.AbstractEventExecutorGroup;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.util.Collections;
import java.util.Iterator;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** The event loops of streams, as gRPC's client sees them: not gRPC's to shut down. */
final class StreamEventLoops extends AbstractEventExecutorGroup implements EventLoopGroup {
  private final Supplier<EventLoop> next;

  /**
   * A group.
   *
   * @param next gives the event loop of the stream whose transport is being started
   */
  StreamEventLoops(Supplier<EventLoop> next) {
    this.next = next;
  }

  @Override
  public EventLoop next() {
    return next.get();
  }

  @Override
  public ChannelFuture register(Channel channel) {
    return next().register(channel);
  }

  @Override
  public ChannelFuture register(ChannelPromise promise) {
    return next().register(promise);
  }

  @Deprecated
  @Override
  @SuppressWarnings("InlineMeSuggester")
  public ChannelFuture register(Channel channel, ChannelPromise promise) {
    return next().register(promise);
  }

  @Override
  public Iterator<EventExecutor> iterator() {
    return Collections.emptyIterator();
  }

  @Override
  public Future<?> shutdownGracefully(long quietPeriod, long timeout, TimeUnit unit) {
    throw new UnsupportedOperationException("event loops belong to the streams' connections");
  }

  @Deprecated
  @Override
  public void shutdown() {
    throw new UnsupportedOperationException("event loops belong to the streams' connections");
  }

  /** Never completes: the group has no end of its own. */
  @Override
  public Future<?> terminationFuture() {
    return GlobalEventExecutor.INSTANCE.newPromise();
  }

  @Override
  public boolean isShuttingDown() {
    return false;
  }

  @Override
  public boolean isShutdown() {
    return false;
  }

  @Override
  public boolean isTerminated() {
    return false;
  }

  @Override
  public boolean awaitTermination(long timeout, TimeUnit unit) {
    return false;
  }
}
