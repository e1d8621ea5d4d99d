package io.grpcstream.libp2p;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.grpcstream.libp2p.Multiaddr.Component;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MultiaddrTest {
  private static final PeerId ALICE =
      PeerId.parse("12D3KooWCryG7Mon9orvQxcS1rYZjotPgpwoJNHHKcLLfE4Hf5mV");
  private static final PeerId BOB = PeerId.parse("QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC");

  /** Binary forms from multiaddr's own tests, go-multiaddr's, and by hand from protocols.csv. */
  @ParameterizedTest
  @CsvSource({
    "/ip4/192.0.2.42/tcp/443,04c000022a0601bb",
    "/ip4/127.0.0.1/udp/1234,047f000001910204d2",
    "/ip4/127.0.0.1/tcp/4321,047f0000010610e1",
    "/ip4/127.0.0.1/udp/1234/ip4/127.0.0.1/tcp/4321,047f000001910204d2047f0000010610e1",
    "/ip6/::1,2900000000000000000000000000000001",
    "/ip6/2001:db8::1/udp/1234/quic-v1,2920010db8000000000000000000000001910204d2cd03",
    "/ip6zone/eth0/ip6/fe80::1,2a046574683029fe800000000000000000000000000001",
    "/ip4/192.0.2.0/ipcidr/24,04c00002002b18",
    "/dns4/example.com/tcp/443/tls/ws,360b6578616d706c652e636f6d0601bbc003dd03",
    "/dns/a/tcp/80/http,350161060050e003",
    "/dnsaddr/a,380161",
    "/memory/4,89060000000000000004",
    "/memory/18446744073709551615,8906ffffffffffffffff",
    "/p2p/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC/p2p-circuit,"
        + "a503221220d52ebb89d85b02a284948203a62ff28389c57c9f42beec4ec20db76a68911c0ba202"
  })
  void textAndBinaryFormsAreOneAddress(String text, String hex) {
    Multiaddr parsed = Multiaddr.parse(text);
    Multiaddr read = Multiaddr.fromBytes(HexFormat.of().parseHex(hex));

    assertThat(HexFormat.of().formatHex(parsed.bytes())).isEqualTo(hex);
    assertThat(read).hasToString(text).isEqualTo(parsed).hasSameHashCodeAs(parsed);
    assertThat(read.components()).isEqualTo(parsed.components());
  }

  /** Addresses that go-multiaddr accepts, of the protocols known here. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "/ip4/1.2.3.4",
        "/ip4/0.0.0.0",
        "/ip6/2601:9:4f81:9700:803e:ca65:66e8:c21",
        "/ip6/2601:9:4f81:9700:803e:ca65:66e8:c21/udp/1234/quic",
        "/ip6/2001:db8::/ipcidr/32",
        "/ip6zone/x/ip6/fe80::1",
        "/ip6zone/x%y/ip6/fe80::1",
        "/ip6zone/x%y/ip6/::",
        "/ip6zone/x/ip6/fe80::1/udp/1234/quic-v1",
        "/udp/0",
        "/tcp/0",
        "/sctp/0",
        "/tcp/65535",
        "/udp/1234/sctp/1234",
        "/udp/1234/udt",
        "/udp/1234/utp",
        "/tcp/1234/https",
        "/p2p/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC/tcp/1234",
        "/ip4/127.0.0.1/udp/1234/quic-v1/webtransport",
        "/ip4/127.0.0.1/udp/1234/quic-v1/webtransport/certhash/uEiAkH5a4DPGKUuOBjYw0CgwjLa2R_RF71v86aVxlqdKNOQ",
        "/ip4/127.0.0.1/tcp/127/noise",
        "/ip4/127.0.0.1/tcp/127/wss",
        "/ip4/127.0.0.1/tcp/127/webrtc-direct",
        "/ip4/127.0.0.1/tcp/443/tls/sni/example.com/http",
        "/dns6/xn--bcher-kva.example/tcp/1",
        "/dns/bücher.example/tcp/1",
        "/memory/0"
      })
  void goodAddressReadsBackAsItWas(String text) {
    Multiaddr address = Multiaddr.parse(text);

    assertThat(address).hasToString(text);
    assertThat(Multiaddr.fromBytes(address.bytes())).isEqualTo(address);
  }

  @ParameterizedTest
  @CsvSource({
    "/ip4/127.0.0.1/tcp/1234/,/ip4/127.0.0.1/tcp/1234",
    "/ip4/127.0.0.1/tcp/01234,/ip4/127.0.0.1/tcp/1234",
    "/ip6/2001:DB8:0:0:1:0:0:1,/ip6/2001:db8::1:0:0:1",
    "/ip6/::ffff:c000:201,/ip6/::ffff:192.0.2.1",
    "/ipfs/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC,"
        + "/p2p/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC",
    "/p2p/k51qzi5uqu5dhb6l8spkdx7yxafegfkee5by8h7lmjh2ehc2sgg34z7c15vzqs,"
        + "/p2p/12D3KooWCryG7Mon9orvQxcS1rYZjotPgpwoJNHHKcLLfE4Hf5mV",
    "/certhash/b2uaraocy6yrdblb4sfptaddgimjmmpy,/certhash/u1QEQOFj2IjCsPJFfMAxmQxLGPw",
    "/memory/007,/memory/7"
  })
  void otherSpellingsBecomeTheCanonicalOne(String text, String canonical) {
    assertThat(Multiaddr.parse(text)).hasToString(canonical).isEqualTo(Multiaddr.parse(canonical));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''|must be components that begin with a slash, such as /ip4/",
        "/|must be components",
        "///|must be components",
        "ip4/1.2.3.4|must be components",
        "/ip4|component 1 (/ip4): its value is missing",
        "/ip4/|component 1 (/ip4): its value is missing",
        "/ip4/::1|component 1 (/ip4/::1): not an IPv4 address",
        "/ip4/1.2.3|component 1 (/ip4/1.2.3): not an IPv4",
        "/ip4/1.2.3.4.5|component 1 (/ip4/1.2.3.4.5): not an IPv4",
        "/ip4/1.2.3.04|component 1 (/ip4/1.2.3.04): not an IPv4",
        "/ip4/1.2.3.999/tcp/1|component 1 (/ip4/1.2.3.999): not an IPv4",
        "/ip4/127.0.0.1/tcp|component 2 (/tcp): its value is missing",
        "/ip4/127.0.0.1/tcp/x|component 2 (/tcp/x): not a number from 0 to 65535",
        "/ip4/1.2.3.4/tcp/-1|component 2 (/tcp/-1): not a number",
        "/ip4/1.2.3.4/tcp/+1|component 2 (/tcp/+1): not a number",
        "/ip4/1.2.3.4/tcp/٣|component 2 (/tcp/\\u0663): not a number",
        "/ip4/1.2.3.4//tcp/1|component 2 (/): unknown protocol \"\"",
        "/tcp/65536|component 1 (/tcp/65536): not a number from 0 to 65535",
        "/udp/99999999999999999999999|not a number from 0 to 65535",
        "/ip4/::/ipcidr/256|component 1",
        "/ip6/::/ipcidr/256|component 2 (/ipcidr/256): not a number from 0 to 255",
        "/ip6|its value is missing",
        "/ip6/1.2.3.4|not an IPv6 address",
        "/ip6/fe80::1%eth0|not an IPv6 address: group \"1%eth0\"",
        "/ip6/[::1]|not an IPv6 address",
        "/ip6/1:2:3:4:5:6:7|it must have 8 groups",
        "/ip6/1:2:3:4:5:6:7:8:9|more than 8 groups",
        "/ip6/1::2::3|not an IPv6 address",
        "/ip6/:::1|not an IPv6 address",
        "/ip6/1:2:3:4::5:6:7:8|it must have 8 groups",
        "/ip6/12345::|group \"12345\"",
        "/ip6zone//ip6/fe80::1|component 1 (/ip6zone/): a name of 0 bytes",
        "/sni//sni/0|component 1 (/sni/): a name of 0 bytes",
        "/dns4/a b|component 1 (/dns4/a b): a name with",
        "/quic/1234|component 2 (/1234): unknown protocol \"1234\"",
        "/udp/1234/udt/1234|component 3 (/1234): unknown protocol",
        "/ip4/127.0.0.1/p2p|component 2 (/p2p): its value is missing",
        "/ip4/127.0.0.1/p2p/tcp|component 2 (/p2p/tcp): peer id \"tcp\": multibase prefix 't'",
        "/p2p/QmxoHT6iViN5xAjoz1VZ553cL31U9F94ht3QvWR1FrEbZY|component 1",
        "/certhash/b2uaraocy6yrdblb4sfptaddgimjmmp|component 1",
        "/memory/18446744073709551616|not a number from 0 to 18446744073709551615",
        "/memory|its value is missing",
        "/tcp/9090/http/p2p-webcrt-direct|component 3 (/p2p-webcrt-direct): unknown protocol",
        "/onion/timaq4ygg2iegci7:1234|component 1 (/onion): unknown protocol \"onion\""
      })
  void badTextIsRefusedPointingAtTheComponent(String text, String reason) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Multiaddr.parse(text))
        .withMessageStartingWith("multiaddr \"")
        .withMessageContaining(reason);
  }

  @Test
  void errorNamesTheWholeAddressAndTheComponent() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Multiaddr.parse("/ip4/1.2.3.999/tcp/1"))
        .withMessage(
            "multiaddr \"/ip4/1.2.3.999/tcp/1\": component 1 (/ip4/1.2.3.999): not an IPv4"
                + " address");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''|expected 1 to 1024",
        "04|component 1 (/ip4 at byte 0): a value of 4 bytes, but 0 are left",
        "047f0000|component 1 (/ip4 at byte 0): a value of 4 bytes, but 3 are left",
        "047f00000106|component 2 (/tcp at byte 5): a value of 2 bytes, but 0 are left",
        "05|component 1 (at byte 0): unknown protocol code 5",
        "047f00000105|component 2 (at byte 5): unknown protocol code 5",
        "8400|not minimal",
        "91|varint cut short",
        "ffffffffffffffffff01|varint longer than 9 bytes",
        "36808080080161|(/dns4 at byte 0): a value of 16777216 bytes, but 2 are left",
        "36ffffffffffffffff7f61|a value of 9223372036854775807 bytes, but 1 are left",
        "3600|a name of 0 bytes",
        "36012f|a name with a slash",
        "360100|a name with",
        "3602c328|malformed UTF-8",
        "a50300|peer id bytes: varint cut short",
        "a503021300|peer id bytes: multihash code 0x13",
        "d203021205|multihash length of 5 with 0 bytes left"
      })
  void badBytesAreRefusedPointingAtTheComponent(String hex, String reason) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Multiaddr.fromBytes(HexFormat.of().parseHex(hex)))
        .withMessageStartingWith("multiaddr of " + hex.length() / 2 + " bytes: ")
        .withMessageContaining(reason);
  }

  @Test
  void sizeIsBounded() {
    assertThat(Multiaddr.parse("/tcp/1".repeat(64)).components()).hasSize(64);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Multiaddr.parse("/tcp/1".repeat(65)))
        .withMessageContaining("65 components of 195 bytes, limits 64 and 1024");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Multiaddr.parse(("/dns/" + "a".repeat(255)).repeat(4)))
        .withMessageContaining("4 components of 1032 bytes, limits 64 and 1024");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Multiaddr.parse("/dns/" + "a".repeat(256)))
        .withMessageContaining("256 bytes, expected 1 to 255");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Multiaddr.parse("/tcp/1".repeat(1 << 20)))
        .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(400).contains("limit 8192"));
    assertThatIllegalArgumentException().isThrownBy(() -> Multiaddr.fromBytes(new byte[1 << 24]));
  }

  @Test
  void componentsAreWithinReach() {
    Multiaddr address = Multiaddr.parse("/ip4/192.0.2.1/tcp/4001/tls/ipfs/" + ALICE);

    assertThat(address.components())
        .containsExactly(
            new Component("ip4", "192.0.2.1"),
            new Component("tcp", "4001"),
            new Component("tls", ""),
            new Component("p2p", ALICE.toString()));
    assertThat(address.components().get(1)).hasToString("/tcp/4001");
    assertThat(address.value("tcp")).contains("4001");
    assertThat(address.value("tls")).contains("");
    assertThat(address.value("udp")).isEmpty();
  }

  @Test
  void peerIdIsThatOfTheTarget() {
    Multiaddr bare = Multiaddr.parse("/ip4/192.0.2.1/tcp/4001");
    Multiaddr alice = bare.withPeerId(ALICE);

    assertThat(bare.peerId()).isEmpty();
    assertThat(bare.withoutPeerId()).isEqualTo(bare);
    assertThat(alice).hasToString(bare + "/p2p/" + ALICE);
    assertThat(alice.peerId()).contains(ALICE);
    assertThat(alice.withoutPeerId()).isEqualTo(bare);
    assertThat(alice.withPeerId(ALICE)).isEqualTo(alice);
    assertThat(alice.withPeerId(BOB)).hasToString(bare + "/p2p/" + BOB);
  }

  @Test
  void peerIdOfARelayIsNotThatOfTheTarget() {
    Multiaddr relay = Multiaddr.parse("/ip4/192.0.2.1/tcp/4001/p2p/" + BOB + "/p2p-circuit");
    Multiaddr alice = relay.withPeerId(ALICE);

    assertThat(relay.peerId()).isEmpty();
    assertThat(alice).hasToString(relay + "/p2p/" + ALICE);
    assertThat(alice.peerId()).contains(ALICE);
    assertThat(alice.withoutPeerId()).isEqualTo(relay);
  }

  @Test
  @DisplayName("An address of nothing but a peer becomes empty without it")
  void addressOfNothingButAPeer() {
    Multiaddr empty = Multiaddr.parse("/p2p/" + ALICE).withoutPeerId();

    assertThat(empty.isEmpty()).isTrue();
    assertThat(empty).hasToString("");
    assertThat(empty.withPeerId(BOB)).hasToString("/p2p/" + BOB);
  }

  @Test
  void encapsulatePutsOneInsideTheOther() {
    Multiaddr outer = Multiaddr.parse("/ip4/192.0.2.1");
    Multiaddr inner = Multiaddr.parse("/tcp/42/ws");

    assertThat(outer.encapsulate(inner)).isEqualTo(Multiaddr.parse("/ip4/192.0.2.1/tcp/42/ws"));
    Multiaddr wide = Multiaddr.parse("/tcp/1".repeat(40));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> wide.encapsulate(wide))
        .withMessageContaining("65 components");
  }

  @Test
  void bytesAreACopy() {
    Multiaddr address = Multiaddr.parse("/ip4/192.0.2.1");
    address.bytes()[1] = 1;

    assertThat(HexFormat.of().formatHex(address.bytes())).isEqualTo("04c0000201");
  }

  @Test
  @DisplayName("Random bytes give an address that reads back, or the documented exception")
  void randomBytesAsAnAddress() {
    Random random = new Random(20_251_121);
    byte[][] seeds = {
      Multiaddr.parse("/ip4/192.0.2.1/tcp/4001/tls/ws/p2p/" + ALICE).bytes(),
      Multiaddr.parse("/ip6/2001:db8::1/udp/1234/quic-v1/p2p/" + BOB + "/p2p-circuit").bytes(),
      Multiaddr.parse("/dns4/example.com/tcp/443/tls/sni/example.org/http").bytes(),
      Multiaddr.parse("/memory/77/certhash/uEiAkH5a4DPGKUuOBjYw0CgwjLa2R_RF71v86aVxlqdKNOQ").bytes()
    };
    int accepted = 0;
    for (int i = 0; i < 40_000; i++) {
      byte[] bytes = seeds[random.nextInt(seeds.length)].clone();
      for (int changes = random.nextInt(3); changes >= 0; changes--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
      }
      try {
        Multiaddr address = Multiaddr.fromBytes(bytes);
        accepted++;
        assertThat(Multiaddr.parse(address.toString()).bytes()).isEqualTo(bytes);
      } catch (IllegalArgumentException e) {
        assertThat(e).hasMessageMatching("multiaddr of \\d+ bytes: component \\d+ .*");
      }
    }
    assertThat(accepted).isGreaterThan(5_000);
  }

  @Test
  @DisplayName("Random text gives an address that reads back, or the documented exception")
  void randomTextAsAnAddress() {
    Random random = new Random(20_251_121);
    String[] words = {
      "ip4",
      "ip6",
      "tcp",
      "udp",
      "dns4",
      "p2p",
      "memory",
      "tls",
      "quic-v1",
      "1.2.3.4",
      "::1",
      "80",
      "",
      "é",
      "\ud800",
      "%",
      "a:b",
      "::",
      "1.2.3",
      ALICE.toString(),
      "p2p-circuit",
      "ip6zone"
    };
    int accepted = 0;
    for (int i = 0; i < 40_000; i++) {
      StringBuilder text = new StringBuilder();
      for (int length = random.nextInt(6); length >= 0; length--) {
        text.append('/').append(words[random.nextInt(words.length)]);
      }
      try {
        Multiaddr address = Multiaddr.parse(text.toString());
        accepted++;
        assertThat(Multiaddr.parse(address.toString())).isEqualTo(address);
        assertThat(Multiaddr.fromBytes(address.bytes())).isEqualTo(address);
      } catch (IllegalArgumentException e) {
        assertThat(e).hasMessageStartingWith("multiaddr \"");
      }
    }
    assertThat(accepted).isGreaterThan(500);
  }

  @Test
  void anAddressKeepsNothingButItsBytes() {
    assertThat(
            java.util.stream.Stream.of(Multiaddr.class.getDeclaredFields())
                .filter(field -> !java.lang.reflect.Modifier.isStatic(field.getModifiers()))
                .map(java.lang.reflect.Field::getType))
        .containsExactly(byte[].class);
    Multiaddr long64 = Multiaddr.parse("/ip4/192.0.2.1".repeat(64));
    assertThat(long64.bytes()).hasSize(320);
    assertThat(long64.components()).hasSize(64);
  }
}
