package io.grpcstream.libp2p.security.noise;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever a peer sends as its handshake payload: it reads back as itself, or is refused. */
class NoisePayloadFuzz {
  static Stream<byte[]> seeds() {
    return Stream.of(
            new NoisePayload(new byte[36], new byte[64], List.of()),
            new NoisePayload(new byte[37], new byte[70], List.of("/yamux/1.0.0", "/mplex/6.7.0")))
        .map(NoisePayload::encode);
  }

  @MethodSource("seeds")
  @FuzzTest(maxExecutions = 30_000)
  void readsBackAsItself(byte[] input) throws NoiseException {
    NoisePayload payload;
    try {
      payload = NoisePayload.decode(input);
    } catch (NoiseException refused) {
      return;
    }
    assertThat(payload.streamMuxers().size()).isLessThanOrEqualTo(NoisePayload.MAX_MUXERS);
    assertThat(NoisePayload.decode(payload.encode())).usingRecursiveComparison().isEqualTo(payload);
  }
}
