package io.grpcstream.libp2p.addresses;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpcstream.libp2p.Libp2pException;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.addresses.DialTarget.Family;
import io.grpcstream.libp2p.transport.memory.MemoryTransport;
import java.net.InetSocketAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DialTargetTest {
  private static final String PEER = "/p2p/12D3KooWCryG7Mon9orvQxcS1rYZjotPgpwoJNHHKcLLfE4Hf5mV";

  @ParameterizedTest
  @CsvSource({"/ip4/192.0.2.1/tcp/80,192.0.2.1", "/ip6/2001:db8::1/tcp/80,2001:db8::1"})
  void ipAddressesAreSocketAddressesAndBack(String text, String ip) throws Exception {
    Multiaddr address = Multiaddr.parse(text);
    InetSocketAddress socket = new InetSocketAddress(ip, 80);

    assertThat(DialTarget.of(address).address()).isEqualTo(socket);
    assertThat(DialTarget.of(Multiaddr.parse(text + PEER)).address()).isEqualTo(socket);
    assertThat(SocketAddresses.toMultiaddr(socket)).isEqualTo(address);
  }

  @Test
  void memoryAddressesUseAll64Bits() throws Exception {
    Multiaddr address = Multiaddr.parse("/memory/18446744073709551615");

    assertThat(DialTarget.of(address).address()).isEqualTo(MemoryTransport.address(-1));
    assertThat(SocketAddresses.toMultiaddr(MemoryTransport.address(-1))).isEqualTo(address);
  }

  @ParameterizedTest
  @CsvSource({"dns,ANY", "dns4,IPV4", "dns6,IPV6"})
  void namesAreLeftToBeLookedUp(String protocol, Family family) throws Exception {
    assertThat(DialTarget.of(Multiaddr.parse("/" + protocol + "/peer.example/tcp/1478" + PEER)))
        .isEqualTo(new DialTarget(null, "peer.example", family, 1478));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"/ip4/192.0.2.1/udp/1/quic-v1", "/ip4/192.0.2.1", "/dns/peer.example/udp/1"})
  void whatNoTransportServesIsNamed(String text) {
    assertThatThrownBy(() -> DialTarget.of(Multiaddr.parse(text)))
        .isInstanceOf(Libp2pException.class)
        .hasMessageContaining(text);
  }
}
