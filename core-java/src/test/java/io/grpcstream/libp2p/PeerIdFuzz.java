package io.grpcstream.libp2p;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever is called a peer id, in bytes or in text: it reads back as itself, or is refused. */
class PeerIdFuzz {
  static Stream<byte[]> seeds() {
    return Stream.of(
            "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA",
            "16Uiu2HAkzCw2MgSwPqYRmr58xCdUHiPxQ2NtKPGpxMHJLf5WXfd5",
            "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N",
            "bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe")
        .flatMap(text -> Stream.of(text.getBytes(UTF_8), PeerId.parse(text).bytes()));
  }

  @MethodSource("seeds")
  @FuzzTest(maxExecutions = 30_000)
  void readsBackAsItself(byte[] input) {
    try {
      PeerId peer = PeerId.fromBytes(input);
      assertThat(peer.bytes()).isEqualTo(input);
      readsBack(peer);
    } catch (IllegalArgumentException refused) {
      assertThat(refused.getMessage()).startsWith("peer id");
    }
    try {
      readsBack(PeerId.parse(new String(input, UTF_8)));
    } catch (IllegalArgumentException refused) {
      assertThat(refused.getMessage()).startsWith("peer id");
    }
  }

  private static void readsBack(PeerId peer) {
    assertThat(PeerId.parse(peer.toString())).isEqualTo(peer);
    assertThat(PeerId.parse(peer.toCid())).isEqualTo(peer);
    peer.extractPublicKey().ifPresent(key -> assertThat(PeerId.of(key)).isEqualTo(peer));
  }
}
