package io.grpcstream;

import static java.util.concurrent.CompletableFuture.completedFuture;

import io.grpcstream.libp2p.PeerId;
import io.libp2p.core.Connection;
import io.libp2p.core.Host;
import io.libp2p.core.StreamPromise;
import io.libp2p.core.multiformats.Multiaddr;
import io.libp2p.core.multistream.ProtocolBinding;
import io.libp2p.transport.implementation.P2PChannelOverNetty;
import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * Does with a user's bindings what a host of jvm-libp2p does: runs them on the event loop of a new
 * stream, in the midst of its negotiation. It reaches the hosts that it shares a network with.
 */
final class TheirHost implements Host {
  private final PeerId id = Wire.peer();
  private final Map<io.libp2p.core.PeerId, TheirHost> network;
  private final EventLoopGroup group;
  private final Supplier<ChannelPair> pairs;
  private final Map<String, ProtocolBinding<?>> bindings = new ConcurrentHashMap<>();

  TheirHost(
      Map<io.libp2p.core.PeerId, TheirHost> network,
      EventLoopGroup group,
      Supplier<ChannelPair> pairs) {
    this.network = network;
    this.group = group;
    this.pairs = pairs;
    network.put(getPeerId(), this);
  }

  PeerId id() {
    return id;
  }

  Multiaddr address() {
    return new Multiaddr("/ip4/127.0.0.1/tcp/4001/p2p/" + id);
  }

  @Override
  public io.libp2p.core.PeerId getPeerId() {
    return new io.libp2p.core.PeerId(id.bytes());
  }

  @Override
  public void addProtocolHandler(ProtocolBinding<? extends Object> binding) {
    binding.getProtocolDescriptor().getAnnounceProtocols().forEach(p -> bindings.put(p, binding));
  }

  @Override
  public <C> StreamPromise<C> newStream(
      List<String> protocols, io.libp2p.core.PeerId peer, Multiaddr... addresses) {
    String protocol = protocols.get(0);
    ChannelPair pair = pairs.get();
    TheirHost other = Objects.requireNonNull(network.get(peer));
    CompletableFuture<C> controller = start(pair.opener(), protocol, other, true);
    CompletableFuture<Object> accepted = other.start(pair.acceptor(), protocol, this, false);
    return new StreamPromise<>(
        completedFuture(new TheirStream(pair.opener(), other, true)),
        controller.thenCombine(accepted, (made, ignored) -> made));
  }

  @SuppressWarnings("unchecked")
  private <C> CompletableFuture<C> start(
      Channel channel, String protocol, TheirHost remote, boolean initiator) {
    ProtocolBinding<C> binding =
        (ProtocolBinding<C>) Objects.requireNonNull(bindings.get(protocol), protocol);
    return Negotiated.register(
        group.next(),
        channel,
        protocol,
        initiator,
        c -> binding.initChannel(new TheirStream(c, remote, initiator), protocol));
  }

  private static final class TheirStream extends P2PChannelOverNetty
      implements io.libp2p.core.Stream {
    private final TheirHost remote;

    TheirStream(Channel channel, TheirHost remote, boolean initiator) {
      super(channel, initiator);
      this.remote = remote;
    }

    @Override
    public io.libp2p.core.PeerId remotePeerId() {
      return remote.getPeerId();
    }

    @Override
    public Connection getConnection() {
      return remote::address;
    }
  }
}
