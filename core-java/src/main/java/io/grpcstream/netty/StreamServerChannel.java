package io.grpcstream.netty;

import io.netty.channel.AbstractServerChannel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.EventLoop;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * A server channel without a socket: its children are the channels of streams that libp2p has
 * accepted, handed to {@link #accept}.
 */
final class StreamServerChannel extends AbstractServerChannel {
  private final ChannelConfig config = new DefaultChannelConfig(this).setAutoRead(false);
  private volatile @Nullable SocketAddress address;
  private volatile boolean open = true;

  /** Passes a stream's channel to gRPC. Runs on the stream's event loop and does not leave it. */
  void accept(io.netty.channel.Channel stream) {
    pipeline().fireChannelRead(stream);
  }

  @Override
  public ChannelConfig config() {
    return config;
  }

  @Override
  public boolean isOpen() {
    return open;
  }

  @Override
  public boolean isActive() {
    return open && address != null;
  }

  @Override
  protected boolean isCompatible(EventLoop loop) {
    return loop == CallerRunsEventLoop.INSTANCE;
  }

  @Override
  protected @Nullable SocketAddress localAddress0() {
    return address;
  }

  @Override
  protected void doBind(SocketAddress localAddress) {
    address = localAddress;
  }

  @Override
  protected void doClose() {
    open = false;
  }

  /** Nothing to do: streams come when libp2p accepts them, not when they are asked for. */
  @Override
  protected void doBeginRead() {}
}
