package io.grpcstream.libp2p.host;

import io.grpcstream.libp2p.ConnectionGater;
import io.grpcstream.libp2p.LimitExceededException;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.addresses.SocketAddresses;
import io.grpcstream.libp2p.connection.ConnectionTable;
import io.grpcstream.libp2p.connection.ConnectionUpgrader;
import io.grpcstream.libp2p.resources.Refusals;
import io.grpcstream.libp2p.resources.ResourceManager;
import io.grpcstream.libp2p.resources.ResourceManager.ConnectionSlot;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import java.net.SocketAddress;

/** What happens to each raw connection that comes in: gate, limits, upgrade. */
@ChannelHandler.Sharable
final class Acceptor extends ChannelInitializer<Channel> {
  private final ConnectionGater gater;
  private final Refusals refusals;
  private final ResourceManager resources;
  private final ConnectionTable table;
  private final ConnectionUpgrader upgrader;

  Acceptor(
      ConnectionGater gater,
      Refusals refusals,
      ResourceManager resources,
      ConnectionTable table,
      ConnectionUpgrader upgrader) {
    this.gater = gater;
    this.refusals = refusals;
    this.resources = resources;
    this.table = table;
    this.upgrader = upgrader;
  }

  @Override
  protected void initChannel(Channel channel) {
    SocketAddress remote = channel.remoteAddress();
    if (table.isClosed() || remote == null) {
      channel.close();
      return;
    }
    Multiaddr address = SocketAddresses.toMultiaddr(remote);
    if (!refusals.allows("allowAccept", () -> gater.allowAccept(address))) {
      refusals.add(
          Refusal.GATED_ACCEPT, "the connection gater refused a connection from " + address);
      channel.close();
      return;
    }
    ConnectionSlot slot;
    try {
      slot = resources.inboundConnection(remote);
    } catch (LimitExceededException e) {
      channel.close();
      return;
    }
    upgrader.inbound(channel, slot, address);
  }
}
