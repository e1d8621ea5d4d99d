package io.grpcstream.libp2p;

import io.grpcstream.libp2p.ResourceManager.ConnectionSlot;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One address of a {@link Dial}: gate, look up, connect, upgrade. Reports on the dial's loop. */
final class DialAttempt {
  final Multiaddr address;
  private final HostContext host;
  private final Dial dial;

  /** What a name in the address was found to stand for. */
  private final @Nullable InetSocketAddress resolved;

  private @Nullable ChannelFuture connecting;
  private boolean done;

  DialAttempt(
      HostContext host, Dial dial, Multiaddr address, @Nullable InetSocketAddress resolved) {
    this.host = host;
    this.dial = dial;
    this.address = address;
    this.resolved = resolved;
  }

  void begin() {
    try {
      if (resolved != null) {
        gate(SocketAddresses.toMultiaddr(resolved));
        connect(resolved);
        return;
      }
      gate(address);
      DialTarget target = DialTarget.of(address);
      if (target.address() != null) {
        connect(target.address());
      } else {
        host.resolver
            .resolve(target)
            .whenComplete((found, failure) -> dial.loop.execute(() -> onResolved(found, failure)));
      }
    } catch (Libp2pException | RuntimeException e) {
      fail(e);
    }
  }

  private void gate(Multiaddr candidate) throws GatedException {
    if (!host.refusals.allows("allowDial", () -> host.gater.allowDial(dial.peer, candidate))) {
      throw host.refusals.gated(
          Refusal.GATED_DIAL,
          "the connection gater refused to dial "
              + candidate
              + (dial.peer == null ? "" : " for peer " + dial.peer));
    }
  }

  private void onResolved(@Nullable List<InetSocketAddress> found, @Nullable Throwable failure) {
    if (found == null) {
      fail(new Libp2pException(address + ": name lookup failed: " + failure.getMessage(), failure));
    } else if (!done) {
      done = true;
      dial.onResolved(this, found);
    }
  }

  private void connect(SocketAddress target) throws LimitExceededException {
    ConnectionSlot slot = host.resources.outboundConnection(address);
    ChannelInitializer<Channel> initializer =
        new ChannelInitializer<>() {
          @Override
          protected void initChannel(Channel channel) {
            Multiaddr remote = SocketAddresses.toMultiaddr(target);
            ConnectionUpgrade upgrade =
                ConnectionUpgrade.outbound(host, channel, slot, remote, dial.peer);
            upgrade.result().whenComplete((connection, failure) -> onUpgraded(connection, failure));
            upgrade.begin(dial.remaining());
          }
        };
    try {
      connecting =
          host.transport(target).dial(host.group().next(), target, initializer, dial.remaining());
    } catch (RuntimeException e) {
      slot.release();
      throw e;
    }
    connecting.addListener(
        connected -> {
          if (connected.isSuccess()) {
            dial.loop.execute(dial::onConnected);
          } else {
            slot.release();
            Throwable cause = connected.cause();
            dial.loop.execute(() -> fail(unreachable(target, cause)));
          }
        });
  }

  private Libp2pException unreachable(SocketAddress target, @Nullable Throwable cause) {
    String via = resolved == null ? "" : " (" + target + ")";
    String reason = cause == null ? "cancelled" : Futures.describe(cause);
    return new Libp2pException(address + via + ": cannot connect: " + reason, cause);
  }

  private void onUpgraded(@Nullable DefaultConnection connection, @Nullable Throwable failure) {
    dial.loop.execute(
        () -> {
          if (connection == null) {
            fail(Futures.unwrap(failure));
          } else {
            done = true;
            dial.onReady(this, connection);
          }
        });
  }

  private void fail(Throwable failure) {
    if (!done) {
      done = true;
      dial.onFailed(this, failure);
    }
  }

  /** Gives up: another address was quicker, or time is up. On the dial's loop. */
  void cancel() {
    done = true;
    if (connecting != null) {
      connecting.cancel(false);
      connecting.channel().close();
    }
  }
}
