package io.grpcstream.libp2p;

import io.grpcstream.libp2p.mux.yamux.YamuxConfig;
import io.grpcstream.libp2p.protocol.identify.IdentifyProtocol;
import io.grpcstream.libp2p.protocol.ping.PingProtocol;
import io.grpcstream.libp2p.security.SecurityProtocol;
import io.grpcstream.libp2p.transport.Transport;
import io.grpcstream.libp2p.transport.memory.MemoryTransport;
import io.grpcstream.libp2p.transport.tcp.TcpTransport;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.EventExecutor;
import java.net.SocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** What the parts of one host share. */
final class HostContext {
  private static final Set<String> OWN_PROTOCOLS =
      Set.of(IdentifyProtocol.ID, IdentifyProtocol.PUSH_ID, PingProtocol.ID);

  final PeerId self;
  final Limits limits;
  final ConnectionGater gater;
  final Refusals refusals;
  final ResourceManager resources;
  final AddressBook book;
  final ConnectionTable table;
  final ProtocolHandlers handlers = new ProtocolHandlers();
  final List<SecurityProtocol> security;

  /** See {@link HostConfig#withoutBoringSsl}. */
  final @Nullable String withoutBoringSsl;

  final List<Transport> transports = List.of(new TcpTransport(), new MemoryTransport());
  final NameResolver resolver;
  final YamuxConfig yamux;

  /** Connections on their way, to be ended by a shutdown. */
  final Set<ConnectionUpgrade> upgrades = ConcurrentHashMap.newKeySet();

  /** Whether the host is shutting down: from then on nothing new begins. */
  volatile boolean closing;

  private volatile @Nullable EventLoopGroup group;

  HostContext(
      PeerId self, HostConfig config, List<SecurityProtocol> security, NameResolver resolver) {
    this.self = self;
    this.limits = config.limits;
    this.gater = config.gater;
    this.security = security;
    this.withoutBoringSsl = config.withoutBoringSsl;
    this.resolver = resolver;
    refusals = new Refusals(self);
    yamux =
        YamuxConfig.defaults().toBuilder()
            .maxWindow(limits.streamWindow())
            .maxConnectionWindow(limits.connectionWindow())
            .keepAliveInterval(limits.keepAliveInterval())
            .keepAliveTimeout(limits.keepAliveTimeout())
            .maxInboundStreams(limits.inboundStreamsPerPeer())
            .maxOutboundStreams(limits.outboundStreamsPerPeer())
            .build();
    resources =
        new ResourceManager(
            limits,
            refusals,
            Map.of(
                PingProtocol.ID,
                PingProtocol.MAX_INBOUND_STREAMS_PER_PEER,
                // One exchange at a time on each connection.
                IdentifyProtocol.ID,
                limits.connectionsPerPeer(),
                IdentifyProtocol.PUSH_ID,
                limits.connectionsPerPeer()));
    book =
        new AddressBook(
            System::nanoTime,
            limits.peerInfoBytes(),
            dropped -> refusals.add(Refusal.PEER_INFO, dropped));
    table = new ConnectionTable(book);
  }

  /** The event loops, from {@link Host#start()} on. */
  EventLoopGroup group() {
    EventLoopGroup started = group;
    if (started == null) {
      throw new HostNotStartedException(self);
    }
    return started;
  }

  void setGroup(EventLoopGroup group) {
    this.group = group;
  }

  boolean hasGroup() {
    return group != null;
  }

  /** Whether the calling thread is one of the event loops. */
  boolean isOnEventLoop() {
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

  /** Whether a protocol is the host's own business, for which no shutdown waits. */
  boolean isOwn(String protocol) {
    return OWN_PROTOCOLS.contains(protocol);
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

  /** The transport that goes to {@code address}. */
  Transport transport(SocketAddress address) {
    for (Transport transport : transports) {
      if (transport.handles(address)) {
        return transport;
      }
    }
    throw new IllegalArgumentException("no transport for " + address);
  }
}
