package io.grpcstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.CallOptions;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.stub.StreamObserver;
import io.grpcstream.libp2p.Stream;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ShutdownTest {
  private static final Duration LONG = Duration.ofMinutes(5);
  private static final Duration SHORT = Duration.ofMillis(50);

  private final Wire wire = Wire.local();
  private final GrpcStream server = GrpcStream.builder().addService(Echo.service()).build().serve();
  private final GrpcStream client = GrpcStream.create();
  private final Echo.Responses responses = new Echo.Responses();

  @AfterEach
  void close() throws Exception {
    get(server.shutdown(Duration.ZERO).toCompletableFuture());
    get(client.shutdown(Duration.ZERO).toCompletableFuture());
    wire.close();
  }

  private static <T> T get(Future<T> future) throws Exception {
    return future.get(10, TimeUnit.SECONDS);
  }

  /** Starts a call and returns once it is being served. */
  private StreamObserver<String> callInFlight(ManagedChannel channel) throws Exception {
    StreamObserver<String> call = Echo.bidi(channel, responses);
    call.onNext("before");
    assertThat(responses.next()).isEqualTo("before");
    return call;
  }

  @Test
  @DisplayName("A served call finishes within the grace while new ones are refused")
  void servedCallFinishesWithinTheGrace() throws Exception {
    ManagedChannel channel = GrpcStream.wrapClient(wire.open(server.handler()));
    StreamObserver<String> call = callInFlight(channel);

    CompletableFuture<Void> announced = new CompletableFuture<>();
    channel.notifyWhenStateChanged(ConnectivityState.READY, () -> announced.complete(null));
    CompletableFuture<Void> shutdown = server.shutdown(LONG).toCompletableFuture();
    get(announced);
    Status refused = Echo.failure(channel, CallOptions.DEFAULT.withWaitForReady());
    assertThat(refused.getCode()).isEqualTo(Code.UNAVAILABLE);
    assertThat(refused.getDescription()).contains("GOAWAY");
    call.onNext("after");
    assertThat(responses.next()).isEqualTo("after");
    assertThat(shutdown).isNotDone();
    call.onCompleted();
    responses.awaitEnd();

    get(shutdown);
    assertThat(server.grpcServer().isTerminated()).isTrue();
  }

  @Test
  void servedCallIsCutWithUnavailableAfterTheGrace() throws Exception {
    Stream stream = wire.open(server.handler());
    callInFlight(GrpcStream.wrapClient(stream));

    get(server.shutdown(SHORT).toCompletableFuture());
    Status cut = responses.failure();
    assertThat(cut.getCode()).isEqualTo(Code.UNAVAILABLE);
    assertThat(cut.getDescription())
        .contains(stream.remotePeer().toString())
        .contains(stream.remoteAddress().toString())
        .contains("takes no more calls on it (GOAWAY)");
    assertThat(server.grpcServer().isTerminated()).isTrue();
  }

  @Test
  void laterShutdownShortensTheGrace() throws Exception {
    callInFlight(GrpcStream.wrapClient(wire.open(server.handler())));

    CompletableFuture<Void> shutdown = server.shutdown(LONG).toCompletableFuture();
    assertThat(shutdown).isNotDone();
    get(server.shutdown(Duration.ZERO).toCompletableFuture());
    get(shutdown);
    assertThat(responses.failure().getCode()).isEqualTo(Code.UNAVAILABLE);
  }

  @Test
  @DisplayName("A call made finishes within the grace while new ones fail as shut down")
  void madeCallFinishesWithinTheGrace() throws Exception {
    ManagedChannel channel = client.client(wire.open(server.handler()));
    StreamObserver<String> call = callInFlight(channel);

    CompletableFuture<Void> shutdown = client.shutdown(LONG).toCompletableFuture();
    Status refused = Echo.failure(channel);
    assertThat(refused.getCode()).isEqualTo(Code.UNAVAILABLE);
    assertThat(refused.getDescription()).contains("shut down");
    call.onNext("after");
    assertThat(responses.next()).isEqualTo("after");
    assertThat(shutdown).isNotDone();
    call.onCompleted();
    responses.awaitEnd();

    get(shutdown);
    assertThat(channel.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void callMadeIsCutAsShutDownAfterTheGrace() throws Exception {
    ManagedChannel channel = client.client(wire.open(server.handler()));
    callInFlight(channel);

    get(client.shutdown(SHORT).toCompletableFuture());
    Status cut = responses.failure();
    assertThat(cut.getCode()).isEqualTo(Code.UNAVAILABLE);
    assertThat(cut.getDescription()).contains("shut down").contains(Wire.PROTOCOL);
    assertThat(channel.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void unusedClientEndsWithoutWaitingForTheGrace() throws Exception {
    Stream stream = wire.open(server.handler());
    client.client(stream);

    get(client.shutdown(LONG).toCompletableFuture());
    get(stream.closed().toCompletableFuture());
  }

  @Test
  void waitingAndUndecidedStreamsAreReset() throws Exception {
    GrpcStream accepting = GrpcStream.create();
    Stream undecided = wire.open(accepting.handler());
    GrpcConnection connection = get(accepting.accept().toCompletableFuture());
    Stream waiting = wire.open(accepting.handler());

    get(accepting.shutdown(LONG).toCompletableFuture());
    get(undecided.closed().toCompletableFuture());
    get(waiting.closed().toCompletableFuture());
    get(connection.closed().toCompletableFuture());
  }

  @Test
  void streamThatComesAfterwardsIsReset() {
    server.close();

    ManagedChannel late = GrpcStream.wrapClient(wire.open(server.handler()));
    assertThat(Echo.failure(late).getCode()).isEqualTo(Code.UNAVAILABLE);
  }

  @Test
  void clientMadeAfterwardsFailsAsShutDown() throws Exception {
    client.close();
    Stream stream = wire.open(server.handler());

    Status failure = Echo.failure(client.client(stream));
    assertThat(failure.getCode()).isEqualTo(Code.UNAVAILABLE);
    assertThat(failure.getDescription()).contains("shut down");
    get(stream.closed().toCompletableFuture());
  }

  @Test
  void shutdownWithoutAnyStreamIsCompleteAtOnce() {
    assertThat(GrpcStream.create().shutdown(LONG).toCompletableFuture()).isCompleted();
    assertThat(server.shutdown(LONG).toCompletableFuture()).isCompleted();
    assertThat(server.grpcServer().isTerminated()).isTrue();
  }

  @Test
  @DisplayName("Shutting down the gRPC server is shutting down the GrpcStream")
  void shuttingDownTheGrpcServer() throws Exception {
    callInFlight(GrpcStream.wrapClient(wire.open(server.handler())));

    server.grpcServer().shutdown();
    assertThat(server.grpcServer().isShutdown()).isTrue();
    assertThat(server.grpcServer().isTerminated()).isFalse();
    server.grpcServer().shutdownNow();
    assertThat(server.grpcServer().awaitTermination(10, TimeUnit.SECONDS)).isTrue();
    assertThat(responses.failure().getCode()).isEqualTo(Code.UNAVAILABLE);
    assertThatThrownBy(server::serve).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void closeDoesNotWaitOnAnEventLoopButShutsDown() throws Exception {
    Stream stream = wire.open(server.handler());
    callInFlight(client.client(stream));

    get(stream.channel().eventLoop().submit(client::close));
    assertThat(client.terminated().toCompletableFuture()).isNotDone();
    get(client.shutdown(Duration.ZERO).toCompletableFuture());
    assertThat(responses.failure().getDescription()).contains("shut down");
  }

  @Test
  void interruptedCloseCutsAtOnce() throws Exception {
    callInFlight(client.client(wire.open(server.handler())));

    Thread.currentThread().interrupt();
    client.close();
    assertThat(Thread.interrupted()).isTrue();
    assertThat(responses.failure().getDescription()).contains("shut down");
  }
}
