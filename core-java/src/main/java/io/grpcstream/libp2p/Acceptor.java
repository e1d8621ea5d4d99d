package io.grpcstream.libp2p;

import io.grpcstream.libp2p.ResourceManager.ConnectionSlot;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import java.net.SocketAddress;

/** What happens to each raw connection that comes in: gate, limits, upgrade. */
@ChannelHandler.Sharable
final class Acceptor extends ChannelInitializer<Channel> {
  private final HostContext host;

  Acceptor(HostContext host) {
    this.host = host;
  }

  @Override
  protected void initChannel(Channel channel) {
    SocketAddress remote = channel.remoteAddress();
    if (host.closing || remote == null) {
      channel.close();
      return;
    }
    Multiaddr address = SocketAddresses.toMultiaddr(remote);
    if (!host.refusals.allows("allowAccept", () -> host.gater.allowAccept(address))) {
      host.refusals.add(
          Refusal.GATED_ACCEPT, "the connection gater refused a connection from " + address);
      channel.close();
      return;
    }
    ConnectionSlot slot;
    try {
      slot = host.resources.inboundConnection(remote);
    } catch (LimitExceededException e) {
      channel.close();
      return;
    }
    ConnectionUpgrade.inbound(host, channel, slot, address).begin(host.limits.acceptTimeout());
  }
}
