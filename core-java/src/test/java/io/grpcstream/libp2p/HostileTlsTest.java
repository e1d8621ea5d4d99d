package io.grpcstream.libp2p;

import static io.grpcstream.libp2p.TestHosts.ECHO;
import static io.grpcstream.libp2p.TestHosts.failure;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.mux.yamux.Frame;
import io.grpcstream.libp2p.mux.yamux.YamuxConfig;
import io.grpcstream.libp2p.security.tls.RawCertificate;
import io.grpcstream.libp2p.security.tls.RawTls;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Peers that break TLS, or libp2p's rules for it, over TCP: as diallers and as listeners, against
 * both implementations. None gets in, each is named with its reason, and the honest peer's stream
 * lives on.
 */
class HostileTlsTest {
  private static final String TLS = "/tls/1.0.0";

  private Siege siege;

  private void besiege(TlsProvider provider) {
    besiege(
        provider,
        limits -> limits.acceptTimeout(Duration.ofSeconds(2)).dialTimeout(Duration.ofSeconds(2)));
  }

  private void besiege(TlsProvider provider, UnaryOperator<Limits.Builder> limits) {
    siege = new Siege(limits, builder -> builder.security(TLS).tlsProvider(provider));
  }

  @AfterEach
  void close() {
    siege.close();
  }

  // ---- wrong credentials and wrong offers

  /** What a peer does wrong, and what this host says to it. */
  enum Attack {
    EXPIRED(
        c -> tls(c.validity(now().minusSeconds(9), now().minusSeconds(5))),
        "the certificate expired at"),
    NOT_YET_VALID(
        c -> tls(c.validity(now().plusSeconds(900), now().plusSeconds(999))),
        "the certificate is not valid before"),
    TWO_CERTIFICATES(
        c -> new RawTls(c, new RawCertificate(PrivateKey.generateEd25519())),
        "2 certificates, not one"),
    NO_EXTENSION(c -> tls(c.signedKey(null)), "the certificate lacks the libp2p extension"),
    MALFORMED_EXTENSION(
        c -> tls(c.signedKey(new byte[] {0x30, 1, 0})), "the libp2p extension is malformed"),
    UNKNOWN_CRITICAL_EXTENSION(
        c -> tls(c.extension("1.2.3.4", true)), "the unknown critical extension 1.2.3.4"),
    WRONG_SELF_SIGNATURE(
        c -> tls(c.signedByAnother()), "the certificate's self-signature is wrong"),
    WEAK_KEY(
        c -> tls(c.rsa(PrivateKey.generateEd25519(), 1_024)),
        "the certificate's RSA key has 1,024 bits"),
    KEY_OF_ANOTHER_CERTIFICATE(
        c -> tls(c).key(RawCertificate.key("EC").getPrivate()),
        "Invalid CertificateVerify",
        "bad signature"),
    TLS_1_2(
        c -> tls(c).version("TLSv1.2"),
        "TLSv1.2|protocol_version",
        "unsupported protocol|protocol version"),
    OTHER_APPLICATION_PROTOCOL(
        c -> tls(c).protocols("h2"),
        "No matching application layer protocol|no_application_protocol",
        "application protocol"),
    NO_APPLICATION_PROTOCOL(c -> tls(c).protocols(), "no common application protocol");

    private final Function<RawCertificate, RawTls> peer;
    private final String jdk;
    private final String boringSsl;

    Attack(Function<RawCertificate, RawTls> peer, String reason) {
      this(peer, reason, reason);
    }

    Attack(Function<RawCertificate, RawTls> peer, String jdk, String boringSsl) {
      this.peer = peer;
      this.jdk = jdk;
      this.boringSsl = boringSsl;
    }

    private static Instant now() {
      return Instant.now();
    }

    private static RawTls tls(RawCertificate certificate) {
      return new RawTls(certificate);
    }

    RawTls by(PrivateKey identity) {
      return peer.apply(new RawCertificate(identity));
    }

    List<String> reasons(TlsProvider provider) {
      return List.of((provider == TlsProvider.JDK ? jdk : boringSsl).split("\\|", -1));
    }
  }

  static Stream<Arguments> attacks() {
    return Stream.of(Attack.values())
        .flatMap(a -> Stream.of(TlsProvider.values()).map(p -> Arguments.of(a, p)));
  }

  @ParameterizedTest
  @MethodSource("attacks")
  void aDiallerIsRefused(Attack attack, TlsProvider provider) throws IOException {
    besiege(provider);
    dialAndFail(attack.by(PrivateKey.generateEd25519()), attack.reasons(provider));
  }

  @ParameterizedTest
  @MethodSource("attacks")
  void aListenerIsRefused(Attack attack, TlsProvider provider) throws IOException {
    besiege(provider);
    listenAndFail(attack.by(PrivateKey.generateEd25519()), attack.reasons(provider));
  }

  @ParameterizedTest
  @EnumSource
  void aDiallerWithoutACertificateIsRefused(TlsProvider provider) throws IOException {
    besiege(provider);
    dialAndFail(
        new RawTls(),
        List.of("Empty client certificate chain", "peer did not return a certificate"));
  }

  @ParameterizedTest
  @EnumSource
  void noOneIsTakenForWhomHeClaimsToBe(TlsProvider provider) throws IOException {
    besiege(provider);
    RawCertificate claiming =
        new RawCertificate(PrivateKey.generateEd25519())
            .claiming(siege.honestKey(), PrivateKey.generateEd25519());
    List<String> reason = List.of("not signed by the ED25519 identity key shown");
    dialAndFail(new RawTls(claiming), reason);
    listenAndFail(new RawTls(claiming), reason);
    assertThat(siege.server.connections(siege.honest.peerId())).hasSize(1);
  }

  private void dialAndFail(RawTls tls, List<String> reasons) throws IOException {
    try (RawPeer peer = RawPeer.dial(siege.server).agreeOn(TLS)) {
      RawTls.getNothing(tls.over(peer.socket, true));
      siege.log.awaitAny(reasons, "UPGRADE_FAILED", peer.address(), "securing with /tls/1.0.0");
    }
    siege.isOver();
  }

  private void listenAndFail(RawTls tls, List<String> reasons) throws IOException {
    try (ServerSocket listener = RawPeer.listener()) {
      CompletionStage<?> dial = siege.server.newStream(RawPeer.address(listener), ECHO);
      try (RawPeer peer = RawPeer.accept(listener, PrivateKey.generateEd25519()).offer(TLS)) {
        RawTls.getNothing(tls.over(peer.socket, false));
      }
      String failure = String.valueOf(failure(dial).getMessage());
      assertThat(failure).contains(RawPeer.address(listener).toString(), "securing with " + TLS);
      assertThat(reasons).as(failure).anyMatch(failure::contains);
    }
    siege.isOver();
  }

  // ---- broken connections

  /**
   * Each request asks for an answer, and none is read. BoringSSL counts requests in a row; the JDK
   * answers them all, so it is the answers that must be bounded: by their number or, where the
   * machine is too slow for so many, by the time for which none is taken. Echoes fill what the
   * system buffers, or it would take many more.
   */
  @ParameterizedTest
  @EnumSource
  @DisplayName("A peer that asks for new keys and does not read is refused")
  void newKeysWithoutReading(TlsProvider provider) throws IOException {
    besiege(provider, limits -> limits.keepAliveInterval(Duration.ZERO));
    PrivateKey key = PrivateKey.generateEd25519();
    try (RawPeer peer = RawPeer.dial(siege.server, key, 4_096).agreeOn(TLS)) {
      SSLSocket socket = new RawTls(new RawCertificate(key)).over(peer.socket, true);
      socket.startHandshake();
      assertThat(socket.getInputStream().read()).as("yamux's version").isZero();
      for (int stream = 1; stream < 24; stream += 2) {
        byte[] open = RawPeer.multistream(RawPeer.MULTISTREAM, ECHO);
        byte[] rest = new byte[YamuxConfig.INITIAL_WINDOW - open.length];
        socket.getOutputStream().write(Frame.data(Frame.SYN, stream, open).bytes());
        socket.getOutputStream().write(Frame.data(0, stream, rest).bytes());
      }
      RawTls.askForKeysUntilClosed(socket);
      siege.log.awaitAny(
          List.of(
              "bytes that the remote does not read",
              "too many key updates",
              "took none of what was sent"),
          peer.id().toString());
      siege.memoryIsBounded();
    }
    siege.isOver();
  }

  // ---- broken handshakes

  @ParameterizedTest
  @EnumSource
  void garbageInsteadOfAHandshakeIsRefused(TlsProvider provider) throws IOException {
    besiege(provider);
    byte[] garbage = "GET / HTTP/1.1\r\n".repeat(99).getBytes(StandardCharsets.US_ASCII);
    try (RawPeer peer = RawPeer.dial(siege.server).agreeOn(TLS)) {
      peer.trySend(garbage);
      peer.awaitClose();
      refused(peer, "these are no TLS records");
    }
    dialled(peer -> sendAndAwaitClose(peer, garbage), "these are no TLS records");
    siege.isOver();
  }

  @ParameterizedTest
  @EnumSource
  void garbageInsideOfAHandshakeRecordIsRefused(TlsProvider provider) throws IOException {
    besiege(provider);
    byte[] record = new byte[5 + 200];
    Arrays.fill(record, (byte) 0x55);
    System.arraycopy(new byte[] {22, 3, 1, 0, (byte) 200}, 0, record, 0, 5);
    try (RawPeer peer = RawPeer.dial(siege.server).agreeOn(TLS)) {
      peer.send(record);
      peer.awaitClose();
      refused(peer, "tls: ");
    }
    dialled(peer -> sendAndAwaitClose(peer, record), "tls: ");
    siege.isOver();
  }

  @ParameterizedTest
  @EnumSource
  void aHandshakeThatStopsIsClosedAtTheDeadline(TlsProvider provider) throws IOException {
    besiege(provider);
    byte[] hello = new RawTls().clientHello();
    for (int sent : new int[] {0, 3, hello.length / 2, hello.length}) {
      try (RawPeer peer = RawPeer.dial(siege.server).agreeOn(TLS)) {
        peer.send(Arrays.copyOf(hello, sent));
        peer.awaitClose();
        refused(peer, "not done within 2 s");
      }
    }
    dialled(RawPeer::awaitClose, "within 2 s");
    siege.isOver();
  }

  @ParameterizedTest
  @EnumSource
  void aHandshakeThatIsCutIsOver(TlsProvider provider) throws IOException {
    besiege(provider);
    byte[] hello = new RawTls().clientHello();
    for (int sent : new int[] {0, 3, hello.length / 2, hello.length}) {
      String address;
      try (RawPeer peer = RawPeer.dial(siege.server).agreeOn(TLS)) {
        address = peer.address();
        peer.send(Arrays.copyOf(hello, sent));
        siege.honestStreamLives();
      }
      siege.log.await("UPGRADE_FAILED", address, "securing with /tls/1.0.0");
    }
    dialled(peer -> {}, "the channel closed before the handshake was complete");
    siege.isOver();
  }

  @ParameterizedTest
  @EnumSource
  void manyHalfHandshakesHoldNoMemory(TlsProvider provider) throws IOException {
    besiege(provider);
    byte[] record = {22, 3, 1, 0x40, 0, 1, 0, 0x3f};
    List<RawPeer> peers = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      peers.add(RawPeer.dial(siege.server).agreeOn(TLS).send(record));
    }
    siege.honestStreamLives();
    siege.memoryIsBounded();
    peers.forEach(RawPeer::close);
    siege.isOver();
  }

  private static void sendAndAwaitClose(RawPeer peer, byte[] bytes) {
    peer.trySend(bytes);
    peer.awaitClose();
  }

  /** Lets the host dial, reads its first bytes, acts, and closes. */
  private void dialled(Consumer<RawPeer> act, String reason) throws IOException {
    try (ServerSocket listener = RawPeer.listener()) {
      CompletionStage<?> dial = siege.server.newStream(RawPeer.address(listener), ECHO);
      try (RawPeer peer = RawPeer.accept(listener, PrivateKey.generateEd25519()).offer(TLS)) {
        assertThat(peer.receive(1)[0]).isEqualTo((byte) 22);
        act.accept(peer);
      }
      assertThat(failure(dial)).hasMessageContaining(reason);
    }
  }

  private void refused(RawPeer peer, String reason) {
    siege.log.await("UPGRADE_FAILED", peer.address(), "securing with /tls/1.0.0", reason);
  }
}
