package io.grpcstream.libp2p.host;

import io.grpcstream.libp2p.HostClosedException;
import io.grpcstream.libp2p.Libp2pException;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.addresses.DialTarget;
import io.grpcstream.libp2p.addresses.SocketAddresses;
import io.grpcstream.libp2p.resources.FailureText;
import io.grpcstream.libp2p.transport.Transports;
import io.grpcstream.libp2p.util.Futures;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import java.net.SocketAddress;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** The listening channels of a host: all of its addresses, or none. Thread-safe. */
final class Listeners {
  private final PeerId self;
  private final Transports transports;
  private final Acceptor acceptor;
  private final List<Channel> channels = new ArrayList<>();
  private volatile List<Multiaddr> addresses = List.of();
  private boolean closed;

  Listeners(PeerId self, Transports transports, Acceptor acceptor) {
    this.self = self;
    this.transports = transports;
    this.acceptor = acceptor;
  }

  /** Listens on all of {@code wanted}; on failure on none. */
  CompletableFuture<Void> listen(List<Multiaddr> wanted) {
    List<CompletableFuture<Bound>> pending = new ArrayList<>();
    for (Multiaddr address : wanted) {
      pending.add(listen(address));
    }
    return CompletableFuture.allOf(pending.toArray(CompletableFuture[]::new))
        .thenRun(() -> publish(pending.stream().map(CompletableFuture::join).toList()))
        .whenComplete(
            (done, failure) -> {
              if (failure != null) {
                close();
              }
            });
  }

  private CompletableFuture<Bound> listen(Multiaddr address) {
    CompletableFuture<Bound> result = new CompletableFuture<>();
    try {
      SocketAddress wanted = DialTarget.of(address).address();
      if (wanted == null) {
        throw new Libp2pException("cannot listen on a name: " + address);
      }
      ChannelFuture bind = transports.to(wanted).listen(transports.group(), wanted, acceptor);
      bind.addListener(
          bound -> {
            if (!bound.isSuccess()) {
              result.completeExceptionally(cannotListen(address, bound.cause()));
            } else if (keep(bind.channel())) {
              result.complete(new Bound(wanted, bind.channel()));
            } else {
              bind.channel().close();
              result.completeExceptionally(
                  new HostClosedException(self, "cannot listen on " + address));
            }
          });
    } catch (Libp2pException | RuntimeException e) {
      result.completeExceptionally(cannotListen(address, e));
    }
    return result;
  }

  private static Libp2pException cannotListen(Multiaddr address, Throwable cause) {
    return new Libp2pException("cannot listen on " + address + ": " + FailureText.of(cause), cause);
  }

  private synchronized boolean keep(Channel channel) {
    if (closed) {
      return false;
    }
    channels.add(channel);
    return true;
  }

  private void publish(List<Bound> listeners) {
    List<Multiaddr> all = new ArrayList<>();
    for (Bound bound : listeners) {
      try {
        for (Multiaddr address :
            SocketAddresses.toReachable(bound.wanted, bound.channel.localAddress())) {
          all.add(address.withPeerId(self));
        }
      } catch (SocketException e) {
        throw new IllegalStateException("cannot list the network interfaces", e);
      }
    }
    synchronized (this) {
      if (!closed) {
        addresses = List.copyOf(all);
      }
    }
  }

  /** A listening channel, and what it was asked to listen on. */
  private record Bound(SocketAddress wanted, Channel channel) {}

  /** Where peers reach this host; empty unless all listeners stand. */
  List<Multiaddr> addresses() {
    return addresses;
  }

  /** Ends all listeners, also those on their way; completes when their sockets are released. */
  CompletableFuture<Void> close() {
    List<Channel> open;
    synchronized (this) {
      closed = true;
      addresses = List.of();
      open = List.copyOf(channels);
    }
    List<CompletableFuture<Void>> ends = new ArrayList<>();
    for (Channel channel : open) {
      channel.close();
      ends.add(Futures.closed(channel));
    }
    return CompletableFuture.allOf(ends.toArray(CompletableFuture[]::new));
  }
}
