package io.grpcstream;

import io.grpc.ForwardingChannelBuilder2;
import io.grpc.ManagedChannelBuilder;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.libraries.Libraries;
import io.grpcstream.netty.ManagedPeerChannelBuilder;
import io.grpcstream.netty.PeerBudgets;
import io.grpcstream.targets.PeerTarget;
import java.time.Duration;
import java.util.List;
import java.util.Objects;

/**
 * A gRPC channel to peers, not to one stream: it dials when it is needed, comes back when the peer
 * does, and spreads calls over several peers.
 *
 * <pre>{@code
 * ManagedChannel channel = PeerChannelBuilder.forTarget(
 *         host, "libp2p:/ip4/10.0.0.1/tcp/4001/p2p/12D3…,/ip4/10.0.0.2/tcp/4001/p2p/12D3…"
 *             + "?protocol=/greeter/1.0.0")
 *     .defaultLoadBalancingPolicy("round_robin")
 *     .build();
 * }</pre>
 *
 * <p>It is gRPC's own channel. So its options are gRPC's, and mean what they mean there: load
 * balancing ({@code pick_first} unless told otherwise, {@code round_robin}, outlier detection),
 * retries and hedging, health checking and timeouts by the service config, wait-for-ready, back-off
 * between attempts to connect, idle timeout, keep-alive, {@code getState}. Transport security is
 * not an option: peers have always proven who they are.
 *
 * <p><b>Transports.</b> Each peer is one sub-channel, and its transport one libp2p stream, on the
 * event loop of the peer's connection. All channels of a host to a peer share its connection, which
 * is the host's: it stays when the channel is shut down. A stream that is idle for long (30
 * minutes, {@link #idleTimeout}) is closed, and opened again with the next call. A peer that agrees
 * to a stream and says nothing on it for 30 seconds counts as not reached. Channels are to be shut
 * down: one that is not is kept by its host, which ends it with its own shutdown.
 *
 * <p><b>Peers.</b> A peer is reached over any live connection, also one that it made itself, as
 * from behind a NAT; else by a dial, at the addresses that the host knows and those that the target
 * names. One that could not be reached and connects by itself is called at once, without the rest
 * of a back-off. Where another peer proves itself at its address, calls fail with {@code
 * UNAUTHENTICATED}, and the address is asked again at most once a minute, and only while calls are
 * made; the peer at another address, or {@link io.grpc.ManagedChannel#resetConnectBackoff}, end
 * that.
 *
 * <p><b>Failures.</b> As {@link GrpcStream#statusOf} has them; each names the peer and why. A call
 * that waits for readiness until its deadline says what the attempts to connect have met. When a
 * stream ends, calls in flight get its status, those that the peer has not seen are moved to
 * another stream by gRPC. With the host's shutdown the channel is shut down, and calls that wait
 * fail.
 *
 * <p>A blocking stub fails at once with {@code FAILED_PRECONDITION} on an event loop of a host,
 * where it might wait for itself for ever.
 *
 * <p>{@code forPeer} and its siblings throw {@link NullPointerException} for null, and {@link
 * IllegalArgumentException} for what is no target. Builders are not thread-safe; channels are.
 */
public final class PeerChannelBuilder extends ForwardingChannelBuilder2<PeerChannelBuilder> {
  private final ManagedPeerChannelBuilder delegate;

  private PeerChannelBuilder(Host host, String target) {
    Libraries.checkForGrpc();
    delegate = PeerChannelCredentials.of(host).newChannelBuilder(target, null);
  }

  /** A channel to {@code peer}, wherever it is: connected, or at an address that the host knows. */
  public static PeerChannelBuilder forPeer(Host host, PeerId peer, String protocol) {
    Objects.requireNonNull(host, "the host is null");
    return forTarget(host, target(peer, protocol));
  }

  /**
   * A channel to the peer that {@code address} names, at that address or another one.
   *
   * @throws IllegalArgumentException if it does not end in {@code /p2p/<peer id>}
   */
  public static PeerChannelBuilder forAddress(Host host, Multiaddr address, String protocol) {
    Objects.requireNonNull(host, "the host is null");
    return forTarget(host, target(address, protocol));
  }

  /**
   * A channel to all peers of {@code target}: {@code libp2p:} and multiaddrs separated by commas,
   * each ending in {@code /p2p/<peer id>}, then optionally {@code ?protocol=<protocol id>}, which
   * is {@link GrpcStream#PROTOCOL} by default. {@code /p2p/<peer id>} alone is a peer wherever it
   * is, as for {@link #forPeer}; several addresses of a peer are one peer.
   */
  public static PeerChannelBuilder forTarget(Host host, String target) {
    return new PeerChannelBuilder(
        Objects.requireNonNull(host, "the host is null"),
        Objects.requireNonNull(target, "the target is null"));
  }

  static String target(PeerId peer, String protocol) {
    Objects.requireNonNull(peer, "the peer is null");
    return PeerTarget.of(peer, List.of(), requireProtocol(protocol));
  }

  static String target(Multiaddr address, String protocol) {
    Objects.requireNonNull(address, "the address is null");
    String checked = requireProtocol(protocol);
    PeerId peer =
        address
            .peerId()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        address + " names no peer: end it in /p2p/<peer id>, which is proven"));
    boolean anywhere = address.withoutPeerId().isEmpty();
    return PeerTarget.of(peer, anywhere ? List.of() : List.of(address), checked);
  }

  private static String requireProtocol(String protocol) {
    if (Objects.requireNonNull(protocol, "the protocol is null").isEmpty()) {
      throw new IllegalArgumentException("the protocol id is empty");
    }
    return protocol;
  }

  @Override
  protected ManagedChannelBuilder<?> delegate() {
    return delegate;
  }

  /**
   * What the peers that are called may cost, of which a channel needs {@link CallLimits#memory()}
   * and {@link CallLimits#stallTimeout()}; default: {@link CallLimits#defaults()}.
   */
  public PeerChannelBuilder callLimits(CallLimits limits) {
    Objects.requireNonNull(limits, "the limits of calls are null");
    return limits(limits.newBudgets(), limits.stallTimeout());
  }

  /** Adds {@code extension} to this channel. */
  public PeerChannelBuilder install(PeerExtension extension) {
    Objects.requireNonNull(extension, "the extension is null").configureChannel(this);
    return this;
  }

  PeerChannelBuilder limits(PeerBudgets budgets, Duration stallTimeout) {
    delegate.limits(budgets, stallTimeout);
    return this;
  }
}
