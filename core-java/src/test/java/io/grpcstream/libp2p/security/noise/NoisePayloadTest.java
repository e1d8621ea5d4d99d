package io.grpcstream.libp2p.security.noise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NoisePayloadTest {
  @Test
  void theFormIsThatOfTheSpecification() throws Exception {
    NoisePayload payload = new NoisePayload(new byte[] {1, 2}, new byte[] {3}, List.of("/y", "/m"));
    assertThat(HexFormat.of().formatHex(payload.encode()))
        .isEqualTo("0a020102" + "120103" + "2208" + "12022f79" + "12022f6d");

    NoisePayload read = NoisePayload.decode(payload.encode());
    assertThat(read.identityKey()).containsExactly(1, 2);
    assertThat(read.identitySignature()).containsExactly(3);
    assertThat(read.streamMuxers()).containsExactly("/y", "/m");
  }

  @Test
  void extensionsAreLeftOutWithoutMuxers() throws Exception {
    byte[] encoded = new NoisePayload(new byte[] {1}, new byte[] {2}, List.of()).encode();
    assertThat(HexFormat.of().formatHex(encoded)).isEqualTo("0a0101120102");
    assertThat(NoisePayload.decode(encoded).streamMuxers()).isEmpty();
  }

  @Test
  void otherFieldsAreIgnored() throws Exception {
    // Field 3, formerly early data; a certhash beside a muxer; an unknown extension.
    String extensions = "0a0105" + "12022f79" + "1800";
    byte[] encoded = HexFormat.of().parseHex("0a0101120102" + "1a0109" + "2209" + extensions);
    assertThat(NoisePayload.decode(encoded).streamMuxers()).containsExactly("/y");
  }

  @ParameterizedTest(name = "{1}: {0}")
  @CsvSource({
    "'', no identity_key",
    "0a0101, no identity_sig",
    "120101, no identity_key",
    "0a050102, malformed",
    "0aff, malformed",
    "0affffffff0f01, malformed",
    "07, malformed",
    "0a01011201022204120f2f79, malformed",
    "0b0b0b0b, malformed",
    "ffffffffffffffffffff, malformed",
  })
  void garbageIsRefused(String hex, String reason) {
    assertThatThrownBy(() -> NoisePayload.decode(HexFormat.of().parseHex(hex)))
        .isInstanceOf(NoiseException.class)
        .hasMessageContaining(reason);
  }

  @Test
  void tooManyMuxersAreRefused() {
    NoisePayload payload =
        new NoisePayload(new byte[1], new byte[1], Collections.nCopies(33, "/yamux"));
    assertThatThrownBy(() -> NoisePayload.decode(payload.encode()))
        .isInstanceOf(NoiseException.class)
        .hasMessageContaining("more than 32");
  }
}
