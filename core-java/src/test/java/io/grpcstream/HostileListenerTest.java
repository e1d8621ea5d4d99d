package io.grpcstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Limits;
import io.grpcstream.libp2p.LogLines;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.PeerIdMismatchException;
import io.grpcstream.libp2p.RawPeer;
import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.crypto.PrivateKey;
import java.io.IOException;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Peers that a call is dialled to, over TCP, and that are not what they should be. */
@Timeout(60)
class HostileListenerTest {
  private final Hosts hosts = new Hosts();
  private final LogLines log = new LogLines();
  private final ServerSocket listener = RawPeer.listener();
  private final Multiaddr address = RawPeer.address(listener);
  private final Host dialler =
      hosts.start(b -> b.limits(Limits.builder().dialTimeout(Duration.ofMillis(1500)).build()));

  @AfterEach
  void close() throws IOException {
    log.close();
    listener.close();
    hosts.close();
  }

  @Test
  @DisplayName("Another peer than the one dialled learns nothing, and the call is UNAUTHENTICATED")
  void anotherPeerLearnsNothing() {
    PrivateKey key = PrivateKey.generateEd25519();
    PeerId expected = Wire.peer();
    PeerId actual = PeerId.of(key.publicKey());
    var dial = GrpcStream.dial(dialler, address.withPeerId(expected), Wire.PROTOCOL);
    try (RawPeer peer = RawPeer.accept(listener, key).offerNoise().answerNoise()) {
      assertThat(peer.awaitClose()).as("what the peer got after its answer").isEmpty();
    }
    Status status = failure(dial);
    assertThat(status.getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
    assertThat(status.getDescription())
        .contains(expected.toString(), actual.toString(), address.toString());
    assertThat(status.getCause())
        .isInstanceOfSatisfying(
            PeerIdMismatchException.class,
            e -> {
              assertThat(e.expected()).isEqualTo(expected);
              assertThat(e.actual()).isEqualTo(actual);
            });
    assertThat(dialler.stats().refusals(Refusal.PEER_ID_MISMATCH)).isEqualTo(1);
    log.await("PEER_ID_MISMATCH", expected, actual, address);
    nothingRemains();
  }

  @Test
  @DisplayName("A peer that shows the right identity without its signature learns nothing")
  void identityWithoutItsSignature() {
    PrivateKey victim = PrivateKey.generateEd25519();
    Multiaddr wanted = address.withPeerId(PeerId.of(victim.publicKey()));
    var dial = GrpcStream.dial(dialler, wanted, Wire.PROTOCOL);
    try (RawPeer peer = RawPeer.accept(listener, PrivateKey.generateEd25519()).offerNoise()) {
      peer.answerNoiseClaiming(victim.publicKey());
      assertThat(peer.awaitClose()).as("what the peer got after its answer").isEmpty();
    }
    unavailable(dial, "the static key is not signed by the ED25519 identity key shown");
  }

  @Test
  @DisplayName("Garbage instead of multistream fails the call by name")
  void garbageFailsTheCallByName() {
    var dial = dial();
    try (RawPeer peer = RawPeer.accept(listener, PrivateKey.generateEd25519())) {
      peer.sendRaw("SSH-2.0-OpenSSH_9.6\r\n".repeat(9));
      peer.awaitClose();
    }
    unavailable(dial, "expected /multistream/1.0.0, got \"SH-2.0-OpenSSH_9.6");
  }

  @Test
  @DisplayName("A peer that says nothing fails the call at the deadline")
  void silentPeerFailsTheCall() {
    var dial = dial();
    try (RawPeer peer = RawPeer.accept(listener, PrivateKey.generateEd25519())) {
      peer.awaitClose();
    }
    unavailable(dial, "within 1.5 s");
  }

  @Test
  void aPeerThatClosesAtOnceFailsTheCall() {
    var dial = dial();
    RawPeer.accept(listener, PrivateKey.generateEd25519()).close();
    unavailable(dial, "closed");
  }

  private CompletionStage<?> dial() {
    return GrpcStream.dial(dialler, address.withPeerId(Wire.peer()), Wire.PROTOCOL);
  }

  private void unavailable(CompletionStage<?> dial, String reason) {
    Status status = failure(dial);
    assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(status.getDescription()).contains(address.toString(), reason);
    nothingRemains();
  }

  private static Status failure(CompletionStage<?> dial) {
    var failure =
        catchThrowableOfType(CompletionException.class, () -> dial.toCompletableFuture().join());
    return ((StatusRuntimeException) failure.getCause()).getStatus();
  }

  private void nothingRemains() {
    assertThat(dialler.connections()).isEmpty();
    assertThat(dialler.stats().outboundConnections()).isZero();
    assertThat(dialler.stats().outboundStreams()).isZero();
  }
}
