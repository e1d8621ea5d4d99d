package io.grpcstream.libp2p;

import static io.grpcstream.libp2p.TestHosts.ECHO;
import static io.grpcstream.libp2p.TestHosts.address;
import static io.grpcstream.libp2p.TestHosts.await;
import static io.grpcstream.libp2p.TestHosts.echo;
import static io.grpcstream.libp2p.TestHosts.failure;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.security.tls.TlsProvider;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Hosts that secure their connections with TLS 1.3, by either implementation. */
class HostTlsTest {
  private static final String TLS = "/tls/1.0.0";

  private final TestHosts hosts = new TestHosts();

  @AfterEach
  void close() {
    hosts.close();
  }

  @ParameterizedTest
  @EnumSource
  void hostsSpeakTlsOverTcp(TlsProvider provider) {
    connects(TestHosts.TCP, provider, provider);
  }

  @ParameterizedTest
  @EnumSource
  void hostsSpeakTlsInMemory(TlsProvider provider) {
    connects(TestHosts.MEMORY, provider, provider);
  }

  @ParameterizedTest
  @EnumSource
  void theImplementationsUnderstandEachOther(TlsProvider dialler) {
    TlsProvider other = dialler == TlsProvider.JDK ? TlsProvider.BORINGSSL : TlsProvider.JDK;
    connects(TestHosts.TCP, dialler, other);
  }

  private void connects(String listen, TlsProvider dialler, TlsProvider listener) {
    Host server = hosts.start(tls(listener).andThen(builder -> builder.listen(listen))::apply);
    Host client = hosts.start(tls(dialler));
    Stream stream = await(client.newStream(address(server), ECHO));
    assertThat(echo(stream, "hello")).isEqualTo("hello");
    assertThat(stream.remotePeer()).isEqualTo(server.peerId());
    assertThat(server.connections(client.peerId()).get(0).security()).isEqualTo(TLS);
    assertThat(client.connections(server.peerId()).get(0).security()).isEqualTo(TLS);
  }

  @ParameterizedTest
  @EnumSource
  void aPeerThatProvesAnotherIdentityIsRefused(TlsProvider provider) {
    Host server = hosts.start(tls(provider).andThen(b -> b.listen(TestHosts.TCP))::apply);
    Host client = hosts.start(tls(provider));
    PeerId other = PeerId.of(PrivateKey.generateEd25519().publicKey());
    Multiaddr wrong = Multiaddr.parse(address(server).toString().replaceAll("/p2p/.*", ""));
    assertThat(failure(client.newStream(wrong.withPeerId(other), ECHO)))
        .hasStackTraceContaining("PeerIdMismatchException");
    assertThat(server.stats().inboundStreams()).isZero();
  }

  private static UnaryOperator<Host.Builder> tls(TlsProvider provider) {
    return builder -> builder.security(TLS).tlsProvider(provider);
  }
}
