package io.grpcstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import io.grpcstream.libp2p.ConnectionGater;
import io.grpcstream.libp2p.DialException;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.PeerIdMismatchException;
import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.crypto.PrivateKey;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What goes wrong in libp2p, as a gRPC user sees it: one test for each line of the table. */
@Timeout(60)
class FailureTableTest {
  private static final String PROTOCOL = Wire.PROTOCOL;

  private final Hosts hosts = new Hosts();
  private final Host listener = hosts.start(Hosts.TCP);
  private final Host opener = hosts.start(Hosts.TCP);
  private final GrpcStream server = GrpcStream.builder().addService(Echo.service()).build().serve();

  @AfterEach
  void close() {
    hosts.close();
    server.close();
  }

  private static Status failure(CompletionStage<?> stage) {
    CompletionException failure =
        catchThrowableOfType(
            CompletionException.class,
            () -> stage.toCompletableFuture().orTimeout(20, TimeUnit.SECONDS).join());
    assertThat(failure).hasCauseInstanceOf(StatusRuntimeException.class);
    return ((StatusRuntimeException) failure.getCause()).getStatus();
  }

  private CompletionStage<ManagedChannel> dial() {
    return GrpcStream.dial(opener, Hosts.address(listener), PROTOCOL);
  }

  @Test
  void dialledChannelWorks() {
    listener.handle(PROTOCOL, server.handler());

    assertThat(Echo.unary(Hosts.await(dial()), "hello")).isEqualTo("hello");
    assertThat(Echo.unary(Hosts.await(GrpcStream.dial(opener, listener.peerId(), PROTOCOL)), "too"))
        .isEqualTo("too");
  }

  @Test
  void unreachablePeerIsUnavailable() {
    Multiaddr gone = Hosts.address(listener);
    Hosts.await(listener.shutdown(Duration.ZERO));

    Status status = failure(GrpcStream.dial(opener, gone, PROTOCOL));
    assertThat(status.getCode()).isEqualTo(Code.UNAVAILABLE);
    assertThat(status.getDescription())
        .contains(listener.peerId().toString())
        .contains(gone.withoutPeerId().toString());
    assertThat(status.getCause()).isInstanceOf(IOException.class);
  }

  @Test
  void unknownProtocolIsUnavailable() {
    Status status = failure(GrpcStream.dial(opener, Hosts.address(listener), "/unknown/2.0.0"));
    assertThat(status.getCode()).isEqualTo(Code.UNAVAILABLE);
    assertThat(status.getDescription()).contains("/unknown/2.0.0");
  }

  @Test
  void anotherPeerIsUnauthenticated() {
    PeerId expected = Wire.peer();
    Multiaddr wrong = Hosts.address(listener).withoutPeerId().withPeerId(expected);

    Status status = failure(GrpcStream.dial(opener, wrong, PROTOCOL));
    assertThat(status.getCode()).as(status.toString()).isEqualTo(Code.UNAUTHENTICATED);
    assertThat(status.getDescription())
        .contains(expected.toString())
        .contains(listener.peerId().toString());
  }

  @Test
  void peerThatOurGaterForbidsIsPermissionDenied() {
    ConnectionGater nobody =
        new ConnectionGater() {
          @Override
          public boolean allowDial(@Nullable PeerId peer, Multiaddr address) {
            return false;
          }
        };
    Host gated = hosts.start(builder -> builder.gater(nobody));

    Status status = failure(GrpcStream.dial(gated, Hosts.address(listener), PROTOCOL));
    assertThat(status.getCode()).isEqualTo(Code.PERMISSION_DENIED);
    assertThat(status.getDescription()).contains(listener.peerId().toString());
  }

  @Test
  @DisplayName("A peer that the authorizer refuses is PERMISSION_DENIED")
  void refusedByTheAuthorizer() {
    GrpcStream choosy =
        GrpcStream.builder()
            .addService(Echo.service())
            .authorizer((peer, protocol) -> !peer.equals(opener.peerId()))
            .build()
            .serve();
    listener.handle(PROTOCOL, choosy.handler());

    Status status = Echo.failure(Hosts.await(dial()));
    assertThat(status.getCode()).isEqualTo(Code.PERMISSION_DENIED);
    assertThat(status.getDescription()).contains(PROTOCOL).contains(opener.peerId().toString());
    choosy.close();
  }

  private Status failureOfAStreamThatIsReset() {
    try {
      return Echo.failure(dial().toCompletableFuture().join());
    } catch (CompletionException e) {
      return GrpcStream.statusOf(e); // The reset can come as early as that.
    }
  }

  @Test
  void peerWhoseAuthorizerFailsIsUnavailable() {
    GrpcStream failing =
        GrpcStream.builder()
            .authorizer(
                (peer, protocol) -> {
                  throw new IllegalStateException("the list of peers is not there");
                })
            .build()
            .serve();
    listener.handle(PROTOCOL, failing.handler());

    Status status = failureOfAStreamThatIsReset();
    assertThat(status.getCode()).isEqualTo(Code.UNAVAILABLE);
    assertThat(listener.stats().refusals(Refusal.NOT_AUTHORIZED)).isEqualTo(1);
    failing.close();
  }

  @Test
  void peerWhoseBacklogIsFullIsUnavailable() {
    GrpcStream busy = GrpcStream.builder().backlog(0).build();
    listener.handle(PROTOCOL, busy.handler());

    Status status = failureOfAStreamThatIsReset();
    assertThat(status.getCode()).isEqualTo(Code.UNAVAILABLE);
    assertThat(status.getDescription()).contains(listener.peerId().toString()).contains(PROTOCOL);
    busy.close();
  }

  @Test
  void callOnALostConnectionIsUnavailable() throws Exception {
    listener.handle(PROTOCOL, server.handler());
    Echo.Responses responses = new Echo.Responses();
    Echo.bidi(Hosts.await(dial()), responses).onNext("hello");
    assertThat(responses.next()).isEqualTo("hello");
    Hosts.await(listener.shutdown(Duration.ZERO));

    Status status = responses.failure();
    assertThat(status.getCode()).isEqualTo(Code.UNAVAILABLE);
    assertThat(status.getDescription())
        .contains(listener.peerId().toString())
        .contains("/ip4/127.0.0.1/tcp/")
        .contains(PROTOCOL);
  }

  @Test
  @DisplayName("A call on a reset stream is UNAVAILABLE, also if writes were pending")
  void callOnAResetStream() throws Exception {
    CompletableFuture<Stream> accepted = new CompletableFuture<>();
    listener.handle(
        PROTOCOL,
        stream -> {
          stream.channel().config().setAutoRead(false);
          accepted.complete(stream);
        });
    Echo.Responses responses = new Echo.Responses();
    StreamObserver<String> call = Echo.bidi(Hosts.await(dial()), responses);
    call.onNext("x".repeat(1_000_000)); // More than anybody takes.
    Hosts.await(accepted).reset();

    Status status = responses.failure();
    assertThat(status.getCode()).isEqualTo(Code.UNAVAILABLE);
    assertThat(status.getDescription()).contains(listener.peerId().toString()).contains(PROTOCOL);
  }

  @Test
  void hostThatIsShutDownHereIsUnavailable() throws Exception {
    listener.handle(PROTOCOL, server.handler());
    Echo.Responses responses = new Echo.Responses();
    ManagedChannel channel = Hosts.await(dial());
    Echo.bidi(channel, responses).onNext("hello");
    assertThat(responses.next()).isEqualTo("hello");
    Multiaddr address = Hosts.address(listener);
    Hosts.await(opener.shutdown(Duration.ZERO));

    assertThat(responses.failure().getCode()).isEqualTo(Code.UNAVAILABLE);
    assertThat(Echo.failure(channel, CallOptions.DEFAULT.withWaitForReady()).getCode())
        .isEqualTo(Code.UNAVAILABLE);
    Status status = failure(GrpcStream.dial(opener, address, PROTOCOL));
    assertThat(status.getCode()).isEqualTo(Code.UNAVAILABLE);
    assertThat(status.getDescription()).contains("shut down");
  }

  @Test
  @DisplayName("A dial that reaches a wrong peer is UNAUTHENTICATED, whatever else fails")
  void dialThatReachesAWrongPeer() {
    Multiaddr address = Hosts.address(listener);
    PeerIdMismatchException wrong =
        new PeerIdMismatchException(opener.peerId(), listener.peerId(), address);
    IOException refused = new IOException("connection refused");

    assertThat(
            GrpcStream.statusOf(
                    new DialException(
                        "no", opener.peerId(), List.of(address), List.of(wrong, wrong)))
                .getCode())
        .isEqualTo(Code.UNAUTHENTICATED);
    assertThat(
            GrpcStream.statusOf(
                    new DialException(
                        "no", opener.peerId(), List.of(address), List.of(refused, wrong)))
                .getCode())
        .isEqualTo(Code.UNAUTHENTICATED);
  }

  @Test
  void aHostThatWasNotStartedSaysSo() {
    String text = "has not been started; call start() first";
    try (Host idle = Host.builder().listen(Hosts.MEMORY).build()) {
      PeerId peer = PeerId.of(PrivateKey.generateEd25519().publicKey());
      Multiaddr address = Multiaddr.parse("/memory/1").withPeerId(peer);
      idle.addAddress(peer, address);
      for (CompletionStage<?> operation :
          List.of(
              idle.connect(address),
              idle.connect(peer),
              idle.newStream(address, Wire.PROTOCOL),
              idle.newStream(peer, Wire.PROTOCOL),
              idle.ping(peer))) {
        assertThatThrownBy(() -> operation.toCompletableFuture().get(20, TimeUnit.SECONDS))
            .cause()
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContainingAll(idle.peerId().toString(), text);
      }
      for (CompletionStage<?> dial :
          List.of(
              GrpcStream.dial(idle, address, Wire.PROTOCOL),
              GrpcStream.dial(idle, peer, Wire.PROTOCOL))) {
        assertThatThrownBy(() -> dial.toCompletableFuture().get(20, TimeUnit.SECONDS))
            .cause()
            .isInstanceOf(StatusRuntimeException.class)
            .hasMessageContainingAll("UNAVAILABLE: host " + idle.peerId(), text);
      }
    }
  }

  @Test
  void otherFailuresKeepWhatTheySay() {
    assertThat(GrpcStream.statusOf(new TimeoutException("too late")).getCode())
        .isEqualTo(Code.UNAVAILABLE);
    assertThat(GrpcStream.statusOf(new CancellationException()).getCode())
        .isEqualTo(Code.CANCELLED);
    Status wrapped =
        GrpcStream.statusOf(new CompletionException(new IOException("connection refused")));
    assertThat(wrapped.getCode()).isEqualTo(Code.UNAVAILABLE);
    assertThat(wrapped.getDescription()).isEqualTo("connection refused");
    assertThat(GrpcStream.statusOf(Status.ABORTED.asRuntimeException())).isSameAs(Status.ABORTED);
    assertThat(GrpcStream.statusOf(new IllegalArgumentException("bug")).getCode())
        .isEqualTo(Code.UNKNOWN);
  }

  @Test
  void cancelledDialOpensNothing() {
    CompletableFuture<ManagedChannel> dial = dial().toCompletableFuture();
    dial.cancel(false);

    assertThat(dial).isCancelled();
    listener.handle(PROTOCOL, server.handler());
    assertThat(Echo.unary(Hosts.await(dial()), "next")).isEqualTo("next");
  }

  @Test
  @DisplayName("An impostor at an old address is not hidden by another address that fails")
  void impostorAtAnOldAddress() {
    Host gone = hosts.start(Hosts.TCP);
    Multiaddr dead = Hosts.address(gone);
    Hosts.await(gone.shutdown(Duration.ZERO));
    PeerId expected = Wire.peer();
    opener.addAddress(expected, dead.withoutPeerId());
    opener.addAddress(expected, Hosts.address(listener).withoutPeerId());
    opener.addAddress(expected, Multiaddr.parse("/ip4/127.0.0.1/udp/1/quic-v1"));

    for (int dial = 0; dial < 2; dial++) {
      Status status = failure(GrpcStream.dial(opener, expected, PROTOCOL));
      assertThat(status.getCode()).as(status.toString()).isEqualTo(Code.UNAUTHENTICATED);
      assertThat(status.getDescription())
          .contains(expected.toString(), listener.peerId().toString(), dead.value("tcp").get());
      assertThat(status.getCause().getCause()).isInstanceOf(PeerIdMismatchException.class);
    }
  }
}
