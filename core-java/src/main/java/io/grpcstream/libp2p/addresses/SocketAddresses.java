package io.grpcstream.libp2p.addresses;

import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.transport.memory.MemoryTransport;
import io.netty.channel.local.LocalAddress;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketAddress;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.List;

/** Multiaddrs of the socket addresses that transports deal in. */
public final class SocketAddresses {
  private SocketAddresses() {}

  /** The multiaddr of {@code address}, without a peer id. */
  public static Multiaddr toMultiaddr(SocketAddress address) {
    if (address instanceof InetSocketAddress inet) {
      return Multiaddr.parse(ipComponent(inet.getAddress()) + "/tcp/" + inet.getPort());
    }
    if (address instanceof LocalAddress) {
      return Multiaddr.parse("/memory/" + Long.toUnsignedString(MemoryTransport.number(address)));
    }
    throw new IllegalArgumentException(
        "a " + address.getClass().getName() + " has no multiaddr: " + address);
  }

  /**
   * The same, with a wildcard address replaced by the addresses of the interfaces it covers.
   *
   * @param wanted what was asked for: sockets of both families call every wildcard {@code ::}
   */
  public static List<Multiaddr> toReachable(SocketAddress wanted, SocketAddress bound)
      throws SocketException {
    if (!(wanted instanceof InetSocketAddress asked)
        || !asked.getAddress().isAnyLocalAddress()
        || !(bound instanceof InetSocketAddress inet)) {
      return List.of(toMultiaddr(bound));
    }
    boolean wantV4 = asked.getAddress() instanceof Inet4Address;
    List<Multiaddr> reachable = new ArrayList<>();
    for (NetworkInterface link : NetworkInterface.networkInterfaces().toList()) {
      if (!link.isUp()) {
        continue;
      }
      for (InetAddress address : link.inetAddresses().toList()) {
        // A link-local IPv6 address is of no use without its zone, which a multiaddr here lacks.
        boolean isV4 = address instanceof Inet4Address;
        if (isV4 == wantV4 && (isV4 || !address.isLinkLocalAddress())) {
          reachable.add(toMultiaddr(new InetSocketAddress(address, inet.getPort())));
        }
      }
    }
    return reachable.isEmpty() ? List.of(toMultiaddr(bound)) : reachable;
  }

  private static String ipComponent(InetAddress address) {
    if (address instanceof Inet6Address) {
      String text = address.getHostAddress();
      int zone = text.indexOf('%');
      return "/ip6/" + (zone < 0 ? text : text.substring(0, zone));
    }
    return "/ip4/" + address.getHostAddress();
  }
}
