package io.libp2p.transport.implementation;

import io.libp2p.core.P2PChannel;
import io.netty.channel.Channel;

/** Stands in for jvm-libp2p's class. */
public abstract class P2PChannelOverNetty implements P2PChannel {
  private final Channel nettyChannel;
  private final boolean initiator;

  protected P2PChannelOverNetty(Channel nettyChannel, boolean initiator) {
    this.nettyChannel = nettyChannel;
    this.initiator = initiator;
  }

  public final Channel getNettyChannel() {
    return nettyChannel;
  }

  @Override
  public boolean isInitiator() {
    return initiator;
  }
}
