package io.grpcstream.libp2p;

import io.grpcstream.libp2p.multiformats.Quote;
import org.jspecify.annotations.Nullable;

/**
 * The multiaddr protocols known here: those of libp2p's transports and the building blocks that
 * other peers' addresses are made of, so that such addresses can be read and passed on.
 *
 * @see <a href="https://github.com/multiformats/multiaddr/blob/master/protocols.csv">protocols.csv
 *     </a>
 */
enum MultiaddrProtocol {
  IP4("ip4", 4, MultiaddrValue.IP4),
  IP6("ip6", 41, MultiaddrValue.IP6),
  IP6ZONE("ip6zone", 42, MultiaddrValue.NAME),
  IPCIDR("ipcidr", 43, MultiaddrValue.MASK),
  DNS("dns", 53, MultiaddrValue.NAME),
  DNS4("dns4", 54, MultiaddrValue.NAME),
  DNS6("dns6", 55, MultiaddrValue.NAME),
  DNSADDR("dnsaddr", 56, MultiaddrValue.NAME),
  TCP("tcp", 6, MultiaddrValue.PORT),
  UDP("udp", 273, MultiaddrValue.PORT),
  DCCP("dccp", 33, MultiaddrValue.PORT),
  SCTP("sctp", 132, MultiaddrValue.PORT),
  UDT("udt", 301, null),
  UTP("utp", 302, null),
  QUIC("quic", 460, null),
  QUIC_V1("quic-v1", 461, null),
  WEBTRANSPORT("webtransport", 465, null),
  CERTHASH("certhash", 466, MultiaddrValue.CERTHASH),
  WEBRTC_DIRECT("webrtc-direct", 280, null),
  WEBRTC("webrtc", 281, null),
  TLS("tls", 448, null),
  SNI("sni", 449, MultiaddrValue.NAME),
  NOISE("noise", 454, null),
  HTTP("http", 480, null),
  HTTPS("https", 443, null),
  WS("ws", 477, null),
  WSS("wss", 478, null),
  P2P("p2p", 421, MultiaddrValue.PEER),
  P2P_CIRCUIT("p2p-circuit", 290, null),
  MEMORY("memory", 777, MultiaddrValue.NUMBER);

  /** The name of {@link #P2P} in old addresses; read, never written. */
  private static final String OLD_P2P = "ipfs";

  private final String text;
  private final int code;
  private final @Nullable MultiaddrValue value;

  MultiaddrProtocol(String text, int code, @Nullable MultiaddrValue value) {
    this.text = text;
    this.code = code;
    this.value = value;
  }

  static MultiaddrProtocol ofName(String name) {
    if (name.equals(OLD_P2P)) {
      return P2P;
    }
    for (MultiaddrProtocol protocol : values()) {
      if (protocol.text.equals(name)) {
        return protocol;
      }
    }
    throw new IllegalArgumentException("unknown protocol " + Quote.of(name));
  }

  static MultiaddrProtocol ofCode(long code) {
    for (MultiaddrProtocol protocol : values()) {
      if (protocol.code == code) {
        return protocol;
      }
    }
    throw new IllegalArgumentException("unknown protocol code " + code);
  }

  /** The name in the text form. */
  String text() {
    return text;
  }

  /** The number in the binary form. */
  int code() {
    return code;
  }

  /** How the value is written, or null if there is none. */
  @Nullable MultiaddrValue value() {
    return value;
  }
}
