package io.grpcstream.netty;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoop;

/**
 * What "register this channel" means for our event loops: a stream's channel has its event loop
 * already, and keeps it.
 */
final class Registration {
  private Registration() {}

  /** Succeeds at once for a registered channel; registers another one with {@code loop}. */
  static ChannelFuture complete(EventLoop loop, ChannelPromise promise) {
    Channel channel = promise.channel();
    if (channel.isRegistered() || !channel.isOpen()) {
      return promise.setSuccess();
    }
    channel.unsafe().register(loop, promise);
    return promise;
  }
}
