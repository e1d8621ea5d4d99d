package io.grpcstream.libp2p.security.tls;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.grpcstream.libp2p.crypto.PrivateKey;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever a certificate has as the libp2p extension: it is DER of its own, or refused. */
class SignedKeyFuzz {
  private static final byte[] CERTIFICATE_KEY = new byte[91];

  static Stream<byte[]> seeds() {
    return Stream.of(
        SignedKey.make(PrivateKey.generateEd25519(), CERTIFICATE_KEY).encode(),
        SignedKey.make(PrivateKey.generateSecp256k1(), CERTIFICATE_KEY).encode(),
        new byte[] {0x28, 0x02, (byte) 0x80, 0x00});
  }

  @MethodSource("seeds")
  @FuzzTest(maxExecutions = 30_000)
  void readsBackAsItself(byte[] input) {
    try {
      SignedKey signed = SignedKey.decode(input);
      assertThat(signed.encode()).isEqualTo(input);
      signed.verify(CERTIFICATE_KEY);
    } catch (TlsException refused) {
      assertThat(refused.getMessage()).contains("the ");
    }
  }
}
