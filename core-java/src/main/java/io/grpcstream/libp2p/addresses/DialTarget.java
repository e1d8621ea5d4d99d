package io.grpcstream.libp2p.addresses;

import io.grpcstream.libp2p.Libp2pException;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.transport.memory.MemoryTransport;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * What a multiaddr asks the transports for: a socket address, or a host name that has to be looked
 * up first.
 *
 * @param address the address to connect to or to listen on; null for a name
 * @param name the host name; null for an address
 * @param family which addresses of the name will do
 * @param port the port that goes with the name
 */
public record DialTarget(
    @Nullable SocketAddress address, @Nullable String name, Family family, int port) {
  /** The address family a {@code /dns}, {@code /dns4} or {@code /dns6} component asks for. */
  public enum Family {
    ANY,
    IPV4,
    IPV6
  }

  /**
   * Reads {@code address}, with or without {@code /p2p} at its end.
   *
   * @throws Libp2pException if no transport of this host goes there
   */
  public static DialTarget of(Multiaddr address) throws Libp2pException {
    var parts = address.withoutPeerId().components();
    if (parts.size() == 1 && parts.get(0).protocol().equals("memory")) {
      long number = Long.parseUnsignedLong(parts.get(0).value());
      return new DialTarget(MemoryTransport.address(number), null, Family.ANY, 0);
    }
    if (!parts.isEmpty() && parts.get(0).protocol().equals("dnsaddr")) {
      throw new Libp2pException(
          "cannot use " + address + ": /dnsaddr is not supported, give the addresses behind it");
    }
    if (parts.size() != 2 || !parts.get(1).protocol().equals("tcp")) {
      throw noTransport(address);
    }
    int port = Integer.parseInt(parts.get(1).value());
    String host = parts.get(0).value();
    return switch (parts.get(0).protocol()) {
      case "ip4", "ip6" -> new DialTarget(new InetSocketAddress(host, port), null, Family.ANY, 0);
      case "dns" -> new DialTarget(null, host, Family.ANY, port);
      case "dns4" -> new DialTarget(null, host, Family.IPV4, port);
      case "dns6" -> new DialTarget(null, host, Family.IPV6, port);
      default -> throw noTransport(address);
    };
  }

  private static Libp2pException noTransport(Multiaddr address) {
    return new Libp2pException(
        "cannot use "
            + address
            + ": there is no transport for it; there are TCP (/ip4, /ip6, /dns, /dns4 or /dns6, and"
            + " then /tcp/<port>) and, within one JVM, /memory/<number>");
  }
}
