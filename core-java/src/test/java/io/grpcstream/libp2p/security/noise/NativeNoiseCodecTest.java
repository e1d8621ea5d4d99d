package io.grpcstream.libp2p.security.noise;

import static org.assertj.core.api.Assertions.assertThat;

import java.security.Provider;
import java.security.Security;
import org.conscrypt.Conscrypt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The same with a native cipher, on memory outside the heap. */
class NativeNoiseCodecTest extends NoiseCodecTest {
  @Override
  Provider cipherProvider() {
    return Conscrypt.newProvider();
  }

  @Test
  @DisplayName("A native cipher is known as one, also if the JVM prefers it")
  void nativeCipherThatTheJvmPrefers() throws Exception {
    Provider provider = Conscrypt.newProvider();
    Security.insertProviderAt(provider, 1);
    try {
      CipherState state = new CipherState(new NoiseCrypto(null), new byte[32]);
      assertThat(RecordCipher.of(state)).isInstanceOf(DirectRecordCipher.class);
    } finally {
      Security.removeProvider(provider.getName());
    }
    CipherState state = new CipherState(new NoiseCrypto(null), new byte[32]);
    assertThat(RecordCipher.of(state)).isInstanceOf(ArrayRecordCipher.class);
  }
}
