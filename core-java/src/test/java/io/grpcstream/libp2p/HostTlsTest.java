package io.grpcstream.libp2p;

import static io.grpcstream.libp2p.TestHosts.ECHO;
import static io.grpcstream.libp2p.TestHosts.address;
import static io.grpcstream.libp2p.TestHosts.await;
import static io.grpcstream.libp2p.TestHosts.echo;
import static io.grpcstream.libp2p.TestHosts.eventually;
import static io.grpcstream.libp2p.TestHosts.failure;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.security.tls.RawCertificate;
import io.grpcstream.libp2p.security.tls.RawTls;
import io.grpcstream.libp2p.security.tls.TlsSecurity;
import java.io.IOException;
import java.io.InputStream;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.security.cert.Certificate;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Hosts that secure their connections with TLS 1.3, by either implementation. */
class HostTlsTest {
  private static final String NOISE = "/noise";
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
    io.grpcstream.libp2p.Stream stream = await(client.newStream(address(server), ECHO));
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

  @Test
  @DisplayName("A call to a peer that proves another identity is refused before its first byte")
  void callToAPeerWithAnotherIdentity() {
    Host server =
        hosts.start(tls(TlsSecurity.bestProvider()).andThen(b -> b.listen(TestHosts.TCP))::apply);
    Host client = hosts.start(tls(TlsSecurity.bestProvider()));
    PeerId other = PeerId.of(PrivateKey.generateEd25519().publicKey());
    failure(client.newStream(address(server).withoutPeerId().withPeerId(other), ECHO));
    assertThat(client.stats().refusals(Refusal.PEER_ID_MISMATCH)).isEqualTo(1);
    assertThat(client.connections()).isEmpty();
    eventually("no connection there", () -> server.connections().isEmpty());
  }

  // ---- identities

  static Stream<Arguments> keys() throws IOException {
    try (InputStream in = PrivateKey.class.getResourceAsStream("peer-ids-vectors.txt")) {
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII)
              .lines()
              .map(line -> line.split(" "))
              .filter(parts -> parts[1].equals("private"))
              .map(parts -> PrivateKey.unmarshal(HexFormat.of().parseHex(parts[2])))
              .flatMap(key -> Stream.of(TlsProvider.values()).map(p -> Arguments.of(key, p)))
              .toList()
              .stream();
    }
  }

  @ParameterizedTest
  @MethodSource
  void keys(PrivateKey key, TlsProvider provider) {
    Host server =
        hosts.start(tls(provider).andThen(b -> b.listen(TestHosts.TCP).identity(key))::apply);
    Host client = hosts.start(tls(provider));
    assertThat(echo(await(client.newStream(address(server), ECHO)), "hi")).isEqualTo("hi");
    Host dialler = hosts.start(tls(provider).andThen(b -> b.identity(key))::apply);
    Host listener = hosts.start(tls(provider).andThen(b -> b.listen(TestHosts.TCP))::apply);
    assertThat(echo(await(dialler.newStream(address(listener), ECHO)), "hi")).isEqualTo("hi");
    assertThat(listener.connections(dialler.peerId())).hasSize(1);
    assertThat(dialler.peerId()).isEqualTo(PeerId.of(key.publicKey()));
  }

  // ---- negotiation

  @Test
  @DisplayName("The first of the dialler's that the listener has is taken")
  void firstOfTheDiallersIsTaken() {
    assertThat(agreed(List.of(TLS, NOISE), List.of(NOISE, TLS))).isEqualTo(TLS);
    assertThat(agreed(List.of(NOISE, TLS), List.of(TLS, NOISE))).isEqualTo(NOISE);
    assertThat(agreed(List.of(TLS, NOISE), List.of(NOISE))).isEqualTo(NOISE);
    assertThat(agreed(List.of(NOISE, TLS), List.of(TLS))).isEqualTo(TLS);
  }

  @Test
  void withBoringSslAHostOffersAndAcceptsBoth() {
    Host server = hosts.start(b -> b.listen(TestHosts.TCP));
    for (String protocol : List.of(TLS, NOISE)) {
      Host client = hosts.start(b -> b.security(protocol));
      await(client.newStream(address(server), ECHO));
      assertThat(client.connections().get(0).security()).isEqualTo(protocol);
    }
    Host client = hosts.start(b -> b);
    await(client.newStream(address(server), ECHO));
    assertThat(client.connections().get(0).security()).isEqualTo(TLS);
  }

  @Test
  void hostsWithoutACommonOneDoNotConnect() {
    Host server = hosts.start(b -> b.listen(TestHosts.TCP).security(NOISE));
    Host client = hosts.start(tls(TlsSecurity.bestProvider()));
    assertThat(failure(client.newStream(address(server), ECHO)))
        .hasMessageContaining("negotiating security")
        .hasMessageContaining(TLS);
  }

  private String agreed(List<String> dialler, List<String> listener) {
    Host server =
        hosts.start(b -> b.listen(TestHosts.TCP).security(listener.toArray(String[]::new)));
    Host client = hosts.start(b -> b.security(dialler.toArray(String[]::new)));
    await(client.newStream(address(server), ECHO));
    return client.connections().get(0).security();
  }

  // ---- what goes over the wire

  @ParameterizedTest
  @EnumSource
  @DisplayName(
      "A host shows one certificate in all its connections, and gives no ticket to resume them")
  void oneCertificateAndNoTicket(TlsProvider provider) throws IOException {
    Host server = hosts.start(tls(provider).andThen(b -> b.listen(TestHosts.TCP))::apply);
    RawTls tls = new RawTls(new RawCertificate(PrivateKey.generateEd25519()));
    Set<Certificate> shown = new HashSet<>();
    for (int i = 0; i < 3; i++) {
      try (RawPeer peer = RawPeer.dial(server).agreeOn(TLS)) {
        SSLSocket socket = tls.over(peer.socket, true);
        socket.startHandshake();
        assertThat(socket.getInputStream().read()).as("yamux's version").isZero();
        shown.addAll(List.of(socket.getSession().getPeerCertificates()));
        assertThat(socket.getApplicationProtocol()).isEqualTo("/yamux/1.0.0");
      }
    }
    assertThat(shown).hasSize(1);
  }

  @ParameterizedTest
  @EnumSource
  void aHostNamesNoServer(TlsProvider provider) throws IOException {
    Host client = hosts.start(tls(provider));
    try (ServerSocket listener = RawPeer.listener()) {
      client.newStream(RawPeer.address(listener), ECHO);
      PrivateKey key = PrivateKey.generateEd25519();
      try (RawPeer peer = RawPeer.accept(listener, key).offer(TLS)) {
        SSLSocket socket = new RawTls(new RawCertificate(key)).over(peer.socket, false);
        socket.startHandshake();
        assertThat(((ExtendedSSLSession) socket.getSession()).getRequestedServerNames()).isEmpty();
        assertThat(socket.getSession().getPeerCertificates()).hasSize(1);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName(
      "A peer that names no issuer is taken by BoringSSL, and refused by the JDK with a hint")
  void peerThatNamesNoIssuer(TlsProvider provider) throws IOException {
    Host server = hosts.start(tls(provider).andThen(b -> b.listen(TestHosts.TCP))::apply);
    PrivateKey key = PrivateKey.generateEd25519();
    try (LogLines log = new LogLines();
        RawPeer peer = RawPeer.dial(server).agreeOn(TLS)) {
      SSLSocket socket = new RawTls(new RawCertificate(key).name("")).over(peer.socket, true);
      if (provider == TlsProvider.BORINGSSL) {
        socket.startHandshake();
        assertThat(socket.getInputStream().read()).as("yamux's version").isZero();
        assertThat(server.connections(PeerId.of(key.publicKey()))).hasSize(1);
      } else {
        RawTls.getNothing(socket);
        log.await("UPGRADE_FAILED", peer.address(), "netty-tcnative-boringssl-static");
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void theEndThatAPeerSaysIsTheEnd(TlsProvider provider) throws IOException {
    Host server = hosts.start(tls(provider).andThen(b -> b.listen(TestHosts.TCP))::apply);
    PrivateKey key = PrivateKey.generateEd25519();
    try (RawPeer peer = RawPeer.dial(server).agreeOn(TLS)) {
      SSLSocket socket = new RawTls(new RawCertificate(key)).over(peer.socket, true);
      socket.startHandshake();
      assertThat(socket.getInputStream().read()).as("yamux's version").isZero();
      socket.shutdownOutput();
      while (socket.getInputStream().read() >= 0) {
        assertThat(peer.socket.isClosed()).isFalse();
      }
      eventually("the connection is gone", () -> server.connections().isEmpty());
    }
  }

  @ParameterizedTest
  @EnumSource
  void aRecordThatWasChangedEndsTheConnection(TlsProvider provider) throws IOException {
    Host server = hosts.start(tls(provider).andThen(b -> b.listen(TestHosts.TCP))::apply);
    PrivateKey key = PrivateKey.generateEd25519();
    try (LogLines log = new LogLines();
        RawPeer peer = RawPeer.dial(server).agreeOn(TLS)) {
      SSLSocket socket = new RawTls(new RawCertificate(key)).over(peer.socket, true);
      socket.startHandshake();
      assertThat(socket.getInputStream().read()).as("yamux's version").isZero();
      peer.send(new byte[] {23, 3, 3, 0, 32}).send(new byte[32]);
      log.awaitAny(
          List.of("Tag mismatch", "bad decrypt"),
          "PROTOCOL_VIOLATION",
          PeerId.of(key.publicKey()).toString(),
          "tls: ");
      eventually("the connection is gone", () -> server.connections().isEmpty());
    }
  }

  private static UnaryOperator<Host.Builder> tls(TlsProvider provider) {
    return builder -> builder.security(TLS).tlsProvider(provider);
  }
}
