package io.grpcstream.libp2p.connection;

import io.grpcstream.libp2p.resources.Traffic;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;

/**
 * First in the pipeline of the raw channel of a host that is observed: counts what goes over the
 * network, once a read and once a write, which carry many frames.
 */
final class TrafficCounter extends ChannelDuplexHandler {
  private final Traffic traffic;

  TrafficCounter(Traffic traffic) {
    this.traffic = traffic;
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (message instanceof ByteBuf bytes) {
      traffic.addReceived(bytes.readableBytes());
    }
    ctx.fireChannelRead(message);
  }

  @Override
  public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
    if (message instanceof ByteBuf bytes) {
      traffic.addSent(bytes.readableBytes());
    }
    ctx.write(message, promise);
  }
}
