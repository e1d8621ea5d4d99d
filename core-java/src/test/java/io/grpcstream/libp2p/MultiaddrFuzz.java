package io.grpcstream.libp2p;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever is called an address, in bytes or in text: it reads back as itself, or is refused. */
class MultiaddrFuzz {
  private static final String PEER = "/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";

  static Stream<byte[]> seeds() {
    return Stream.of(
            "/ip4/127.0.0.1/tcp/4001" + PEER,
            "/ip6/fe80::1/udp/4001/quic-v1" + PEER + "/p2p-circuit",
            "/dns4/example.org/tcp/443/tls/ws",
            "/memory/7")
        .flatMap(text -> Stream.of(text.getBytes(UTF_8), Multiaddr.parse(text).bytes()));
  }

  @MethodSource("seeds")
  @FuzzTest(maxExecutions = 30_000)
  void readsBackAsItself(byte[] input) {
    try {
      Multiaddr address = Multiaddr.fromBytes(input);
      assertThat(address.bytes()).isEqualTo(input);
      assertThat(Multiaddr.parse(address.toString())).isEqualTo(address);
    } catch (IllegalArgumentException refused) {
      assertThat(refused.getMessage()).startsWith("multiaddr");
    }
    try {
      Multiaddr address = Multiaddr.parse(new String(input, UTF_8));
      assertThat(Multiaddr.fromBytes(address.bytes())).isEqualTo(address);
      assertThat(Multiaddr.parse(address.toString())).isEqualTo(address);
    } catch (IllegalArgumentException refused) {
      assertThat(refused.getMessage()).startsWith("multiaddr");
    }
  }
}
