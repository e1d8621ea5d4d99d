package io.grpcstream.libp2p.addresses;

import io.grpcstream.libp2p.Libp2pException;
import io.grpcstream.libp2p.Multiaddr;
import io.netty.channel.local.LocalAddress;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * From how far away an address can be reached; wider scopes compare greater. A peer's word is taken
 * for addresses of the scope in which it was met and of wider ones: what it says of narrower ones
 * would lead this host to itself, or into a network of its own, but not to the peer.
 */
public enum AddressScope {
  /** This machine alone: loopback, the wildcard addresses, memory, and its own interfaces. */
  MACHINE("this machine"),
  /** A private network: RFC 1918, RFC 6598, RFC 4193, and link-local addresses. */
  SITE("a private network"),
  /** Anywhere. */
  ANYWHERE("anywhere");

  private final String text;

  AddressScope(String text) {
    this.text = text;
  }

  /** Judges by the address alone, without asking which ones are this machine's. */
  static AddressScope of(SocketAddress address) {
    if (address instanceof LocalAddress) {
      return MACHINE;
    }
    return address instanceof InetSocketAddress inet && inet.getAddress() != null
        ? of(inet.getAddress())
        : ANYWHERE;
  }

  /**
   * The same, for an address at which something is about to be reached: this machine's are known.
   */
  public static AddressScope ofTarget(SocketAddress address) throws SocketException {
    AddressScope scope = of(address);
    return scope != MACHINE
            && address instanceof InetSocketAddress inet
            && NetworkInterface.getByInetAddress(inet.getAddress()) != null
        ? MACHINE
        : scope;
  }

  /** The scope in which the peer of a connection between {@code local} and {@code remote} is. */
  public static AddressScope ofPeer(Multiaddr local, Multiaddr remote) throws Libp2pException {
    SocketAddress here = DialTarget.of(local).address();
    SocketAddress there = DialTarget.of(remote).address();
    if (there == null) {
      return ANYWHERE;
    }
    boolean sameAddress =
        here instanceof InetSocketAddress from
            && there instanceof InetSocketAddress to
            && from.getAddress().equals(to.getAddress());
    return sameAddress ? MACHINE : of(there);
  }

  private static AddressScope of(InetAddress address) {
    if (address instanceof Inet6Address v6) {
      InetAddress inner = embedded(v6.getAddress());
      if (inner != null) {
        return of(inner);
      }
    }
    if (address.isLoopbackAddress() || address.isAnyLocalAddress() || isThisNetwork(address)) {
      return MACHINE;
    }
    return address.isSiteLocalAddress() || address.isLinkLocalAddress() || isPrivate(address)
        ? SITE
        : ANYWHERE;
  }

  /** 0.0.0.0/8, "this host on this network" (RFC 1122, section 3.2.1.3). */
  private static boolean isThisNetwork(InetAddress address) {
    return address instanceof Inet4Address && address.getAddress()[0] == 0;
  }

  /** What the JDK does not count as such: 100.64.0.0/10 (RFC 6598) and fc00::/7 (RFC 4193). */
  private static boolean isPrivate(InetAddress address) {
    byte[] bytes = address.getAddress();
    return address instanceof Inet4Address
        ? bytes[0] == 100 && (bytes[1] & 0xc0) == 64
        : (bytes[0] & 0xfe) == 0xfc;
  }

  /**
   * The IPv4 address that an IPv6 address stands for, or null: IPv4-compatible and IPv4-mapped (RFC
   * 4291, section 2.5.5), behind a NAT64 (64:ff9b::/96 of RFC 6052, and 64:ff9b:1::/48 of RFC 8215
   * in its longest form), and 6to4 (RFC 3056).
   */
  private static @Nullable InetAddress embedded(byte[] v6) {
    boolean zeros = isZero(v6, 0, 10);
    boolean mapped = zeros && v6[10] == -1 && v6[11] == -1;
    boolean compatible = zeros && isZero(v6, 10, 12) && !isZero(v6, 12, 15);
    boolean nat64 = v6[0] == 0 && v6[1] == 0x64 && v6[2] == -1 && v6[3] == (byte) 0x9b;
    boolean sixToFour = v6[0] == 0x20 && v6[1] == 0x02;
    if (mapped || compatible || nat64) {
      return ip4(v6, 12);
    }
    return sixToFour ? ip4(v6, 2) : null;
  }

  private static boolean isZero(byte[] bytes, int from, int to) {
    for (int i = from; i < to; i++) {
      if (bytes[i] != 0) {
        return false;
      }
    }
    return true;
  }

  private static InetAddress ip4(byte[] bytes, int at) {
    try {
      return InetAddress.getByAddress(Arrays.copyOfRange(bytes, at, at + 4));
    } catch (UnknownHostException e) {
      throw new IllegalStateException("four bytes are no IPv4 address", e);
    }
  }

  /** The scope in words. */
  @Override
  public String toString() {
    return text;
  }
}
