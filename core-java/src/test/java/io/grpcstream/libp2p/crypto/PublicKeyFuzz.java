package io.grpcstream.libp2p.crypto;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever a peer shows as its public key: a key that reads back as itself, or refused. */
class PublicKeyFuzz {
  private static final byte[] MESSAGE = {1, 2, 3};

  static Stream<byte[]> seeds() {
    return Arrays.stream(KeyType.values())
        .map(type -> PrivateKey.unmarshal(Vectors.pair(type).privateKey()).publicKey().marshal());
  }

  @MethodSource("seeds")
  @FuzzTest(maxExecutions = 20_000)
  void readsBackAsItself(byte[] input) {
    PublicKey key;
    try {
      key = PublicKey.unmarshal(input);
    } catch (KeyFormatException refused) {
      return;
    }
    assertThat(PublicKey.unmarshal(key.marshal())).isEqualTo(key);
    assertThat(key.verify(MESSAGE, input)).isFalse();
    assertThat(key.peerIdBytes()).isNotEmpty();
  }
}
