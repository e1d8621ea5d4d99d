package io.grpcstream.libp2p.addresses;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.Multiaddr;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@SuppressWarnings("AddressSelection") // Literal addresses: nothing is looked up.
class AddressScopeTest {
  @ParameterizedTest
  @CsvSource({
    "127.0.0.1,MACHINE",
    "127.255.0.9,MACHINE",
    "0.0.0.0,MACHINE",
    "0.1.2.3,MACHINE",
    "::1,MACHINE",
    "::,MACHINE",
    "::ffff:127.0.0.1,MACHINE",
    "::127.0.0.1,MACHINE",
    "64:ff9b::127.0.0.1,MACHINE",
    "64:ff9b:1::127.0.0.1,MACHINE",
    "2002:7f00:1::,MACHINE",
    "10.1.2.3,SITE",
    "172.31.0.1,SITE",
    "192.168.1.1,SITE",
    "100.64.0.1,SITE",
    "169.254.1.1,SITE",
    "::ffff:10.0.0.1,SITE",
    "64:ff9b::192.168.0.1,SITE",
    "fe80::1,SITE",
    "fd00::1,SITE",
    "fec0::1,SITE",
    "192.0.2.1,ANYWHERE",
    "100.128.0.1,ANYWHERE",
    "172.32.0.1,ANYWHERE",
    "2001:db8::1,ANYWHERE",
    "64:ff9b::192.0.2.1,ANYWHERE",
    "2002:c000:201::,ANYWHERE"
  })
  void everyFormOfAnAddressHasItsScope(String ip, AddressScope scope) throws Exception {
    assertThat(AddressScope.of(new InetSocketAddress(InetAddress.getByName(ip), 1)))
        .isEqualTo(scope);
    String component = ip.contains(":") ? "/ip6/" : "/ip4/";
    Multiaddr address = Multiaddr.parse(component + ip + "/tcp/1");
    assertThat(AddressScope.of(DialTarget.of(address).address())).isEqualTo(scope);
  }

  @Test
  void memoryIsThisMachine() throws Exception {
    Multiaddr memory = Multiaddr.parse("/memory/1");
    assertThat(AddressScope.of(DialTarget.of(memory).address())).isEqualTo(AddressScope.MACHINE);
    assertThat(AddressScope.ofPeer(memory, memory)).isEqualTo(AddressScope.MACHINE);
  }

  @Test
  @DisplayName("All interfaces of this machine are this machine as a target")
  void allInterfacesAreThisMachine() throws Exception {
    for (NetworkInterface link : NetworkInterface.networkInterfaces().toList()) {
      for (InetAddress address : link.inetAddresses().toList()) {
        assertThat(AddressScope.ofTarget(new InetSocketAddress(address, 1)))
            .as(address.toString())
            .isEqualTo(AddressScope.MACHINE);
      }
    }
    assertThat(AddressScope.ofTarget(new InetSocketAddress("192.0.2.1", 1)))
        .isEqualTo(AddressScope.ANYWHERE);
  }

  @ParameterizedTest
  @CsvSource({
    "/ip4/192.0.2.1/tcp/1,/ip4/192.0.2.1/tcp/2,MACHINE",
    "/ip4/127.0.0.1/tcp/1,/ip4/127.0.0.2/tcp/2,MACHINE",
    "/ip4/10.0.0.1/tcp/1,/ip4/10.0.0.2/tcp/2,SITE",
    "/ip4/10.0.0.1/tcp/1,/ip4/192.0.2.2/tcp/2,ANYWHERE"
  })
  void aPeerIsWhereItsEndOfTheConnectionIs(String local, String remote, AddressScope scope)
      throws Exception {
    assertThat(AddressScope.ofPeer(Multiaddr.parse(local), Multiaddr.parse(remote)))
        .isEqualTo(scope);
  }
}
