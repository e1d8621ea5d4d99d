package io.grpcstream.netty;

import io.grpc.internal.ClientTransportFactory;
import io.grpc.internal.ConnectionClientTransport;
import io.grpc.internal.ManagedClientTransport.Listener;
import io.grpc.netty.InternalNettyChannelBuilder;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.FastThreadLocal;
import java.net.SocketAddress;
import java.util.Objects;

/**
 * Makes and starts grpc-netty's transports over streams, for the channels of one builder. As it
 * starts, such a transport asks its factory for an event loop and for a Netty channel: those of its
 * stream, which for that moment is noted by the thread.
 */
final class StreamStarter {
  private final FastThreadLocal<StreamEnd> starting = new FastThreadLocal<>();
  private final NettyChannelBuilder builder;

  /**
   * For a channel yet to be built.
   *
   * @param name what stands for it where grpc-netty asks for an address
   */
  StreamStarter(StreamClient client, SocketAddress name) {
    builder = client.builder(name, this::attach, new StreamEventLoops(this::loop));
  }

  /** The options of grpc-netty's part. */
  NettyChannelBuilder options() {
    return builder;
  }

  /** What makes grpc-netty's transports for one channel, each to be started by {@link #start}. */
  ClientTransportFactory newFactory() {
    return InternalNettyChannelBuilder.buildTransportFactory(builder);
  }

  /** Starts a transport over the stream of {@code end}, on its event loop. */
  void start(ConnectionClientTransport transport, StreamEnd end, Listener listener) {
    Runnable next;
    starting.set(end);
    try {
      next = transport.start(listener);
    } finally {
      starting.remove();
    }
    if (next != null) {
      next.run();
    }
  }

  private StreamEnd current() {
    return Objects.requireNonNull(starting.get(), "no transport is being started on this thread");
  }

  private Channel attach() {
    return StreamClient.attach(current());
  }

  private EventLoop loop() {
    return new StreamEventLoop(current().stream().channel().eventLoop());
  }
}
