package io.grpcstream.libp2p.crypto;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever a key file holds: a key that reads back as itself, or refused. */
class PrivateKeyFuzz {
  static Stream<byte[]> seeds() {
    return Arrays.stream(KeyType.values()).map(type -> Vectors.pair(type).privateKey());
  }

  @MethodSource("seeds")
  @FuzzTest(maxExecutions = 5_000)
  void readsBackAsItself(byte[] input) {
    PrivateKey key;
    try {
      key = PrivateKey.unmarshal(input);
    } catch (KeyFormatException refused) {
      return;
    }
    assertThat(PrivateKey.unmarshal(key.marshal())).isEqualTo(key);
  }
}
