package io.grpcstream.libp2p.dial;

import io.grpcstream.libp2p.GatedException;
import io.grpcstream.libp2p.Libp2pException;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.addresses.AddressScope;
import io.grpcstream.libp2p.addresses.DialAddress;
import io.grpcstream.libp2p.addresses.DialTarget;
import io.grpcstream.libp2p.addresses.SocketAddresses;
import io.grpcstream.libp2p.connection.ConnectionUpgrade;
import io.grpcstream.libp2p.connection.DefaultConnection;
import io.grpcstream.libp2p.resources.FailureText;
import io.grpcstream.libp2p.resources.ResourceManager.ConnectionSlot;
import io.grpcstream.libp2p.util.Futures;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One address of a {@link Dial}: gate, look up, connect, upgrade. Reports on the dial's loop. */
final class DialAttempt {
  final DialAddress target;

  private final Dialer dialer;
  private final Dial dial;

  /** What a name in the address was found to stand for. */
  private final @Nullable InetSocketAddress resolved;

  private @Nullable ChannelFuture connecting;

  /** Set on the event loop of the connection. */
  private volatile @Nullable ConnectionUpgrade upgrading;

  private boolean done;

  DialAttempt(Dialer dialer, Dial dial, DialAddress target, @Nullable InetSocketAddress resolved) {
    this.dialer = dialer;
    this.dial = dial;
    this.target = target;
    this.resolved = resolved;
  }

  Multiaddr address() {
    return target.address();
  }

  AddressScope least() {
    return target.least();
  }

  void begin() {
    try {
      if (resolved != null) {
        gate(SocketAddresses.toMultiaddr(resolved));
        connect(resolved);
        return;
      }
      gate(address());
      DialTarget found = DialTarget.of(address());
      if (found.address() != null) {
        connect(found.address());
      } else {
        dialer
            .resolver
            .resolve(found)
            .whenComplete((sockets, f) -> dial.loop.execute(() -> onResolved(sockets, f)));
      }
    } catch (Libp2pException | RuntimeException e) {
      fail(e);
    }
  }

  private void gate(Multiaddr candidate) throws GatedException {
    if (!dialer.refusals.allows("allowDial", () -> dialer.gater.allowDial(dial.peer, candidate))) {
      throw dialer.refusals.gated(
          Refusal.GATED_DIAL,
          "the connection gater refused to dial "
              + candidate
              + (dial.peer == null ? "" : " for peer " + dial.peer));
    }
  }

  private void onResolved(@Nullable List<InetSocketAddress> found, @Nullable Throwable failure) {
    if (failure != null) {
      fail(
          new Libp2pException(
              address() + ": name lookup failed: " + failure.getMessage(), failure));
    } else if (found != null && !done) {
      done = true;
      dial.onResolved(this, found);
    }
  }

  /**
   * Refuses what a stranger's word must not lead to. Judged here, by what a name stands for now and
   * what is dialled next: a name can stand for something else at each look.
   */
  private void checkScope(SocketAddress socket) throws Libp2pException {
    if (least() == AddressScope.MACHINE) {
      return;
    }
    AddressScope scope;
    try {
      scope = AddressScope.ofTarget(socket);
    } catch (SocketException e) {
      throw new Libp2pException(
          address() + ": not dialled, as it cannot be told whether it is this machine's own", e);
    }
    if (scope.compareTo(least()) < 0) {
      throw new Libp2pException(
          "%s%s: not dialled, the peer itself told this address, and it leads to %s"
              .formatted(address(), via(socket), scope));
    }
  }

  private String via(SocketAddress socket) {
    return resolved == null ? "" : " (" + socket + ")";
  }

  private void connect(SocketAddress socket) throws Libp2pException {
    checkScope(socket);
    String wanted = dial.peer == null ? "" : "peer " + dial.peer + " at ";
    ConnectionSlot slot = dialer.resources.outboundConnection(wanted + address());
    ChannelInitializer<Channel> initializer =
        new ChannelInitializer<>() {
          @Override
          protected void initChannel(Channel channel) {
            Multiaddr remote = SocketAddresses.toMultiaddr(socket);
            upgrading =
                dialer.upgrader.outbound(channel, slot, remote, dial.peer, dial.remaining());
            upgrading
                .result()
                .whenComplete((connection, failure) -> onUpgraded(connection, failure));
          }
        };
    try {
      connecting =
          dialer
              .transports
              .to(socket)
              .dial(dialer.transports.group().next(), socket, initializer, dial.remaining());
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
            dial.loop.execute(() -> fail(unreachable(socket, cause)));
          }
        });
  }

  private Libp2pException unreachable(SocketAddress socket, @Nullable Throwable cause) {
    String reason = cause == null ? "cancelled" : withoutAddress(FailureText.of(cause), socket);
    return new Libp2pException(address() + via(socket) + ": cannot connect: " + reason, cause);
  }

  /** Without the address, which Netty says behind. */
  private static String withoutAddress(String reason, SocketAddress socket) {
    String address = ": " + socket;
    return reason.endsWith(address)
        ? reason.substring(0, reason.length() - address.length())
        : reason;
  }

  private void onUpgraded(@Nullable DefaultConnection connection, @Nullable Throwable failure) {
    dial.loop.execute(
        () -> {
          if (failure != null) {
            fail(Futures.unwrap(failure));
          } else if (connection != null) {
            done = true;
            dial.onReady(this, connection);
          }
        });
  }

  /** How far it has come, for the text of a dial whose time is up. */
  String progress() {
    if (connecting == null) {
      return "its name was still being looked up";
    }
    ConnectionUpgrade upgrade = upgrading;
    return !connecting.isSuccess() || upgrade == null
        ? "the attempt to connect was not answered"
        : upgrade.progress();
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
    ConnectionUpgrade upgrade = upgrading;
    if (upgrade != null) {
      upgrade.giveUp();
    }
    if (connecting != null) {
      connecting.cancel(false);
      connecting.channel().close();
    }
  }
}
