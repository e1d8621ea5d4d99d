package io.grpcstream.libp2p.transport.memory;

import io.grpcstream.libp2p.util.EventLoops;
import io.netty.channel.AbstractServerChannel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.EventLoop;
import io.netty.channel.local.LocalAddress;
import io.netty.util.concurrent.SingleThreadEventExecutor;
import java.net.BindException;
import java.net.SocketAddress;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Accepts {@link MemoryChannel}s at one address, from diallers on any event loop. */
final class MemoryServerChannel extends AbstractServerChannel {
  /** Connections that wait to be accepted before further ones are refused. */
  static final int BACKLOG = 256;

  private static final ConcurrentMap<LocalAddress, MemoryServerChannel> LISTENERS =
      new ConcurrentHashMap<>();

  // Above 32 bits, out of the way of the numbers that people choose.
  private static final AtomicLong NEXT_FREE = new AtomicLong(1L << 32);

  private final ChannelConfig config = new DefaultChannelConfig(this);
  private final Queue<MemoryChannel> backlog = new ArrayDeque<>();
  private final Runnable closeTask = () -> unsafe().close(voidPromise());
  private volatile @Nullable LocalAddress localAddress;
  private volatile boolean closed;
  private boolean readPending;

  /** The listener at {@code address}, if there is one. */
  static @Nullable MemoryServerChannel at(LocalAddress address) {
    return LISTENERS.get(address);
  }

  /** An address that no one had before. */
  static LocalAddress freeAddress() {
    return MemoryTransport.address(NEXT_FREE.getAndIncrement());
  }

  /**
   * Queues an accepted connection. May be called from any thread.
   *
   * @return false if this listener is closed or its backlog full: then {@code child} is not used
   */
  boolean offer(MemoryChannel child) {
    synchronized (backlog) {
      if (closed || backlog.size() >= BACKLOG) {
        return false;
      }
      backlog.add(child);
    }
    boolean told = EventLoops.runLater(eventLoop(), this::acceptNow);
    if (!told) {
      synchronized (backlog) {
        backlog.remove(child);
      }
    }
    return told;
  }

  private @Nullable MemoryChannel poll() {
    synchronized (backlog) {
      return backlog.poll();
    }
  }

  private void acceptNow() {
    if (!readPending || closed) {
      return;
    }
    MemoryChannel child = poll();
    if (child == null) {
      return;
    }
    readPending = false;
    for (; child != null; child = config.isAutoRead() ? poll() : null) {
      pipeline().fireChannelRead(child);
    }
    pipeline().fireChannelReadComplete();
  }

  @Override
  protected void doBeginRead() {
    readPending = true;
    eventLoop().execute(this::acceptNow);
  }

  @Override
  protected void doRegister(ChannelPromise promise) {
    // An event loop that ends takes its sockets with it; it must take this channel, too.
    if (eventLoop() instanceof SingleThreadEventExecutor executor) {
      executor.addShutdownHook(closeTask);
    }
    promise.setSuccess();
  }

  @Override
  protected void doDeregister() {
    if (eventLoop() instanceof SingleThreadEventExecutor executor) {
      executor.removeShutdownHook(closeTask);
    }
  }

  @Override
  protected void doBind(SocketAddress address) throws Exception {
    LocalAddress wanted = (LocalAddress) address;
    LocalAddress bound = MemoryTransport.number(wanted) == 0 ? freeAddress() : wanted;
    if (LISTENERS.putIfAbsent(bound, this) != null) {
      throw new BindException("memory: address " + bound.id() + " is already in use");
    }
    localAddress = bound;
  }

  @Override
  protected void doClose() {
    LocalAddress bound = localAddress;
    if (bound != null) {
      LISTENERS.remove(bound, this);
    }
    synchronized (backlog) {
      closed = true;
    }
    for (MemoryChannel child = poll(); child != null; child = poll()) {
      child.unsafe().closeForcibly();
    }
  }

  @Override
  public ChannelConfig config() {
    return config;
  }

  @Override
  public @Nullable LocalAddress localAddress() {
    return (LocalAddress) super.localAddress();
  }

  @Override
  public boolean isOpen() {
    return !closed;
  }

  @Override
  public boolean isActive() {
    return !closed && localAddress != null;
  }

  @Override
  protected boolean isCompatible(EventLoop loop) {
    return true;
  }

  @Override
  protected @Nullable SocketAddress localAddress0() {
    return localAddress;
  }
}
