package io.grpcstream.netty;

import io.netty.channel.AbstractEventLoop;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelPromise;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The "boss" and the "worker" of a gRPC server that has no socket and no thread: what it is given,
 * it runs at once, on the caller's thread.
 *
 * <p>grpc-netty binds a server on a boss loop, waits there for the outcome, and registers each
 * accepted channel with a worker loop. Our server channel has nothing to bind, and the channel of
 * an accepted stream is registered, for good, with the event loop of its libp2p connection. So
 * neither loop has any work of its own. Running on the caller's thread makes starting and stopping
 * a server non-blocking (and so safe on any event loop), and keeps the accepted stream on its own
 * loop from the first byte on.
 *
 * <p>Several threads may be "in" this loop at a time. That is sound for what runs here: the
 * pipeline of {@link StreamServerChannel} is changed only while its server starts and stops, and
 * the acceptor in it keeps no state.
 */
final class CallerRunsEventLoop extends AbstractEventLoop {
  static final CallerRunsEventLoop INSTANCE = new CallerRunsEventLoop();

  private CallerRunsEventLoop() {}

  @Override
  public void execute(Runnable task) {
    task.run();
  }

  @Override
  public boolean inEventLoop(Thread thread) {
    return true;
  }

  @Override
  public ChannelFuture register(Channel channel) {
    return register(new DefaultChannelPromise(channel, this));
  }

  @Override
  public ChannelFuture register(ChannelPromise promise) {
    return Registration.complete(this, promise);
  }

  @Deprecated
  @Override
  @SuppressWarnings("InlineMeSuggester")
  public ChannelFuture register(Channel channel, ChannelPromise promise) {
    return register(promise);
  }

  // There is nothing to shut down: no thread, no queue.

  @Override
  public Future<?> shutdownGracefully(long quietPeriod, long timeout, TimeUnit unit) {
    return terminationFuture();
  }

  @Override
  public Future<?> terminationFuture() {
    return GlobalEventExecutor.INSTANCE.terminationFuture();
  }

  @Deprecated
  @Override
  public void shutdown() {
    throw new UnsupportedOperationException("a loop without a thread cannot be shut down");
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
