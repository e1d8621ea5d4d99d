package io.grpcstream.libp2p.transport;

import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.EventExecutor;
import java.net.SocketAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The transports of one host, and the event loops that they run on. Thread-safe. */
public final class Transports {
  private final List<Transport> transports;
  private volatile @Nullable EventLoopGroup group;

  /** Those that are asked for an address, in this order. */
  public Transports(List<Transport> transports) {
    this.transports = List.copyOf(transports);
  }

  /** From now on there are event loops. */
  public void start(EventLoopGroup group) {
    this.group = group;
  }

  /** Whether there are event loops. */
  public boolean isStarted() {
    return group != null;
  }

  /** The event loops. To be called once there are some. */
  public EventLoopGroup group() {
    EventLoopGroup started = group;
    if (started == null) {
      throw new IllegalStateException("there are no event loops yet");
    }
    return started;
  }

  /** Whether the calling thread is one of the event loops. */
  public boolean isOnEventLoop() {
    EventLoopGroup started = group;
    if (started != null) {
      for (EventExecutor loop : started) {
        if (loop.inEventLoop()) {
          return true;
        }
      }
    }
    return false;
  }

  /**
   * The transport that goes to {@code address}.
   *
   * @throws IllegalArgumentException if there is none
   */
  public Transport to(SocketAddress address) {
    for (Transport transport : transports) {
      if (transport.handles(address)) {
        return transport;
      }
    }
    throw new IllegalArgumentException("no transport for " + address);
  }
}
