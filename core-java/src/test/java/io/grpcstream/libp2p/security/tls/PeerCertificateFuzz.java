package io.grpcstream.libp2p.security.tls;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.time.Instant;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever a peer shows as its certificate: it proves a key, or is refused. */
class PeerCertificateFuzz {
  private static final Instant NOW = Instant.parse("2024-06-01T00:00:00Z");

  static Stream<byte[]> seeds() throws IOException {
    return Stream.concat(
            PeerCertificateTest.vectors().stream(),
            PeerCertificateTest.certificatesOfPeers().stream())
        .map(PeerCertificateTest.Vector::certificate);
  }

  @MethodSource("seeds")
  @FuzzTest(maxExecutions = 20_000)
  void provesAKeyOrIsRefused(byte[] input) {
    try {
      assertThat(PeerCertificate.verify(input, NOW)).isNotNull();
    } catch (TlsException refused) {
      assertThat(refused.getMessage()).isNotBlank();
    }
  }
}
