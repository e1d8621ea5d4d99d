package io.grpcstream.libp2p.connection;

import io.grpcstream.libp2p.ConnectionGater;
import io.grpcstream.libp2p.Limits;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.mux.MuxerProtocol;
import io.grpcstream.libp2p.resources.Refusals;
import io.grpcstream.libp2p.resources.ResourceManager.ConnectionSlot;
import io.grpcstream.libp2p.security.SecurityProtocol;
import io.netty.channel.Channel;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Makes connections of one host out of raw channels. Thread-safe. */
public final class ConnectionUpgrader {
  final PeerId self;
  final ConnectionTable table;
  final StreamRules streams;
  final ConnectionGater gater;
  final Refusals refusals;
  final Duration acceptTimeout;
  final Duration upgradeTimeout;
  final MuxerProtocol muxer;

  /** Why the host does without a BoringSSL that is there; null if it does not. */
  final @Nullable String withoutBoringSsl;

  private final List<SecurityProtocol> security;

  /** Connections on their way. */
  private final Set<ConnectionUpgrade> underWay = ConcurrentHashMap.newKeySet();

  /**
   * The upgrader of a host.
   *
   * @param security in order of preference
   */
  public ConnectionUpgrader(
      PeerId self,
      Limits limits,
      List<SecurityProtocol> security,
      @Nullable String withoutBoringSsl,
      MuxerProtocol muxer,
      ConnectionGater gater,
      ConnectionTable table,
      StreamRules streams) {
    this.self = self;
    this.security = security;
    this.withoutBoringSsl = withoutBoringSsl;
    this.muxer = muxer;
    this.gater = gater;
    this.table = table;
    this.streams = streams;
    refusals = streams.refusals();
    acceptTimeout = limits.acceptTimeout();
    upgradeTimeout = limits.upgradeTimeout();
  }

  /**
   * Makes the connection of a channel that this host dials, within {@code timeout}. To be called
   * when the channel is registered, on its event loop.
   *
   * @param slot released with the channel
   * @param expected the peer that must be there; null if any will do
   */
  public ConnectionUpgrade outbound(
      Channel channel,
      ConnectionSlot slot,
      Multiaddr remoteAddress,
      @Nullable PeerId expected,
      Duration timeout) {
    ConnectionUpgrade upgrade =
        new ConnectionUpgrade(this, channel, slot, remoteAddress, true, expected);
    upgrade.begin(timeout);
    return upgrade;
  }

  /** Makes the connection of a channel that came in; see {@link #outbound}. */
  public void inbound(Channel channel, ConnectionSlot slot, Multiaddr remoteAddress) {
    ConnectionUpgrade upgrade =
        new ConnectionUpgrade(this, channel, slot, remoteAddress, false, null);
    upgrade.begin(acceptTimeout);
  }

  /** Ends all that are on their way, as the host shuts down; each completes when it is closed. */
  public List<CompletableFuture<Void>> abort() {
    return underWay.stream().map(ConnectionUpgrade::abort).toList();
  }

  void begun(ConnectionUpgrade upgrade) {
    underWay.add(upgrade);
  }

  void ended(ConnectionUpgrade upgrade) {
    underWay.remove(upgrade);
  }

  List<String> securityIds() {
    return security.stream().map(SecurityProtocol::id).toList();
  }

  SecurityProtocol security(String id) {
    for (SecurityProtocol protocol : security) {
      if (protocol.id().equals(id)) {
        return protocol;
      }
    }
    throw new IllegalArgumentException("unknown security protocol " + id);
  }
}
