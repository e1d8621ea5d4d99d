package io.grpcstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.CallOptions;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.stub.ClientCalls;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Stream;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class WrapClientTest {
  private final Wire wire = Wire.tcp();
  private final GrpcStream server = GrpcStream.builder().addService(Echo.service()).build().serve();
  private final CompletableFuture<Stream> accepted = new CompletableFuture<>();
  private final PeerId serverPeer = Wire.peer();

  @AfterEach
  void close() throws Exception {
    get(server.shutdown(Duration.ZERO).toCompletableFuture());
    wire.close();
  }

  private static <T> T get(Future<T> future) throws Exception {
    return future.get(10, TimeUnit.SECONDS);
  }

  /** A stream that is served; {@link #accepted} is its other end. */
  private Stream open() {
    return wire.open(
        Wire.peer(),
        serverPeer,
        Wire.PROTOCOL,
        stream -> {
          server.handler().onStream(stream);
          accepted.complete(stream);
        });
  }

  private static void awaitEnd(ManagedChannel channel, Stream stream) throws Exception {
    get(stream.closed().toCompletableFuture());
    assertThat(channel.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void callsAreMadeOverTheStream() throws Exception {
    ManagedChannel channel = GrpcStream.wrapClient(open());

    assertThat(Echo.unary(channel, "1")).isEqualTo("1");
    assertThat(Echo.serverStream(channel, "2")).containsExactly("2", "2", "2");
    assertThat(Echo.clientStream(channel, "3", "4")).isEqualTo("34");
    Echo.Responses responses = new Echo.Responses();
    var call = Echo.bidi(channel, responses);
    call.onNext("5");
    assertThat(responses.next()).isEqualTo("5");
    call.onCompleted();
    responses.awaitEnd();
  }

  @Test
  @DisplayName("Once the stream is reset, every new call fails at once and names peer and protocol")
  void newCallsOnAResetStream() throws Exception {
    Stream stream = open();
    ManagedChannel channel = GrpcStream.wrapClient(stream);
    assertThat(Echo.unary(channel, "hello")).isEqualTo("hello");
    get(accepted).reset();
    get(stream.closed().toCompletableFuture());

    for (CallOptions options :
        List.of(CallOptions.DEFAULT, CallOptions.DEFAULT.withWaitForReady())) {
      Status failure = Echo.failure(channel, options);
      assertThat(failure.getCode()).isEqualTo(Code.UNAVAILABLE);
      assertThat(failure.getDescription())
          .contains(serverPeer.toString())
          .contains(Wire.PROTOCOL)
          .contains("/ip4/127.0.0.1/tcp/4001");
    }
    awaitEnd(channel, stream);
    assertThat(channel.getState(true)).isEqualTo(ConnectivityState.SHUTDOWN);
  }

  @Test
  @DisplayName("A call in flight when the stream is lost names peer, protocol and cause")
  void callInFlightOnALostStream() throws Exception {
    ManagedChannel channel = GrpcStream.wrapClient(open());
    Echo.Responses responses = new Echo.Responses();
    Echo.bidi(channel, responses).onNext("hello");
    assertThat(responses.next()).isEqualTo("hello");
    get(accepted).reset();

    Status failure = responses.failure();
    assertThat(failure.getCode()).isEqualTo(Code.UNAVAILABLE);
    assertThat(failure.getDescription())
        .contains(serverPeer.toString())
        .contains(Wire.PROTOCOL)
        .containsPattern("failed: .*reset|reset it|ended it");
  }

  @Test
  @DisplayName("A call that waits for readiness fails when the stream ends before it is answered")
  void callThatWaitsForReadiness() throws Exception {
    Stream stream = wire.open(accepted::complete);
    ManagedChannel channel = GrpcStream.wrapClient(stream);
    Echo.Responses responses = new Echo.Responses();
    ClientCalls.asyncUnaryCall(
        channel.newCall(Echo.UNARY, CallOptions.DEFAULT.withWaitForReady()), "hello", responses);
    get(accepted).reset();

    Status failure = responses.failure();
    assertThat(failure.getCode()).isEqualTo(Code.UNAVAILABLE);
    assertThat(failure.getDescription()).contains(stream.remotePeer().toString());
    awaitEnd(channel, stream);
  }

  @Test
  void channelOverAStreamThatHasEndedFailsAtOnce() throws Exception {
    Stream stream = open();
    stream.reset();
    get(stream.closed().toCompletableFuture());
    ManagedChannel channel = GrpcStream.wrapClient(stream);

    Status failure = Echo.failure(channel, CallOptions.DEFAULT.withWaitForReady());
    assertThat(failure.getCode()).isEqualTo(Code.UNAVAILABLE);
    assertThat(failure.getDescription()).contains(serverPeer.toString());
    awaitEnd(channel, stream);
  }

  @Test
  void shutdownLetsCallsFinishThenClosesTheStream() throws Exception {
    Stream stream = open();
    ManagedChannel channel = GrpcStream.wrapClient(stream);
    Echo.Responses responses = new Echo.Responses();
    var call = Echo.bidi(channel, responses);
    call.onNext("1");
    assertThat(responses.next()).isEqualTo("1");

    channel.shutdown();
    assertThat(Echo.failure(channel).getDescription()).contains("shut down");
    call.onNext("2");
    assertThat(responses.next()).isEqualTo("2");
    call.onCompleted();
    responses.awaitEnd();
    awaitEnd(channel, stream);
    get(get(accepted).closed().toCompletableFuture());
  }

  @Test
  void shutdownOfAnUnusedChannelClosesTheStream() throws Exception {
    Stream stream = open();
    ManagedChannel channel = GrpcStream.wrapClient(stream);
    channel.shutdown();

    awaitEnd(channel, stream);
    get(get(accepted).closed().toCompletableFuture());
  }

  @Test
  void shutdownNowEndsCallsAndTheStream() throws Exception {
    Stream stream = open();
    ManagedChannel channel = GrpcStream.wrapClient(stream);
    Echo.Responses responses = new Echo.Responses();
    Echo.bidi(channel, responses).onNext("1");
    assertThat(responses.next()).isEqualTo("1");
    channel.shutdownNow();

    assertThat(responses.failure().getCode()).isEqualTo(Code.UNAVAILABLE);
    awaitEnd(channel, stream);
  }

  @Test
  void streamCarriesGrpcOnlyOnce() {
    Stream stream = open();
    GrpcStream.wrapClient(stream);

    assertThatThrownBy(() -> GrpcStream.wrapClient(stream))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(serverPeer.toString());
    assertThatThrownBy(() -> server.client(stream)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> server.serve(stream)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void authorityIsThePeerId() {
    assertThat(GrpcStream.wrapClient(open()).authority()).isEqualTo(serverPeer.toString());
  }

  @Test
  void optionsAboutConnectingHaveNoEffect() throws Exception {
    ManagedChannel channel =
        GrpcStream.wrapClientBuilder(open())
            .usePlaintext()
            .idleTimeout(1, TimeUnit.MILLISECONDS)
            .defaultLoadBalancingPolicy("round_robin")
            .defaultServiceConfig(
                Map.of("loadBalancingConfig", List.of(Map.of("round_robin", Map.of()))))
            .build();
    assertThat(Echo.unary(channel, "1")).isEqualTo("1");
    channel.enterIdle();
    assertThat(Echo.unary(channel, "2")).isEqualTo("2");

    get(accepted).reset();
    assertThat(channel.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
    assertThat(Echo.failure(channel, CallOptions.DEFAULT.withWaitForReady()).getCode())
        .isEqualTo(Code.UNAVAILABLE);
  }

  @Test
  void clientOptionsOfTheGrpcStreamApply() {
    GrpcStream client =
        GrpcStream.builder()
            .configureClient(builder -> builder.overrideAuthority("example.org"))
            .configureClient(builder -> builder.userAgent("test"))
            .build();
    assertThat(client.client(open()).authority()).isEqualTo("example.org");
    client.close();
  }

  @Test
  @DisplayName(
      "An executor that is shut down loses neither the end of its calls nor the calls of others")
  void executorThatIsShutDown() throws Exception {
    ExecutorService brief = Executors.newSingleThreadExecutor();
    ManagedChannel channel = GrpcStream.wrapClientBuilder(open()).executor(brief).build();
    Echo.Responses responses = new Echo.Responses();
    var call = Echo.bidi(channel, responses);
    call.onNext("1");
    assertThat(responses.next()).isEqualTo("1");
    Echo.Responses others = new Echo.Responses();
    var other =
        ClientCalls.asyncBidiStreamingCall(
            channel.newCall(Echo.BIDI, CallOptions.DEFAULT.withExecutor(Runnable::run)), others);
    brief.shutdown();
    assertThat(brief.awaitTermination(10, TimeUnit.SECONDS)).isTrue();

    call.onNext("2");
    assertThat(responses.next()).isEqualTo("2");
    other.onNext("3");
    assertThat(others.next()).isEqualTo("3");
    get(accepted).reset();
    assertThat(responses.failure().getDescription()).contains(serverPeer.toString());
    assertThat(others.failure().getDescription()).contains(serverPeer.toString());
  }
}
