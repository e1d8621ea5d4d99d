package io.grpcstream;

import static io.grpcstream.Hosts.await;
import static io.grpcstream.Hosts.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.stub.StreamObserver;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Stream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A shutdown of hosts ends by what happens, in whatever order things are closed, not by a grace.
 */
@Timeout(120)
class EndOrderTest {
  private static final Duration HOUR = Duration.ofHours(1);

  private final Hosts hosts = new Hosts();
  private final Host server = hosts.start(Hosts.TCP);
  private final Host client = hosts.start(builder -> builder);
  private final GrpcStream grpc = GrpcStream.builder().addService(Echo.service()).build().serve();

  @AfterEach
  void close() {
    grpc.shutdown(Duration.ZERO);
    hosts.close();
  }

  private ManagedChannel idleChannel() {
    ManagedChannel channel = GrpcStream.wrapClient(open());
    assertThat(Echo.unary(channel, "x")).isEqualTo("x");
    return channel;
  }

  private Stream open() {
    return Hosts.open(client, server, grpc.handler());
  }

  private enum Closing {
    CLIENT_HOST,
    SERVER_HOST,
    GRPC,
    CHANNEL
  }

  private enum Order {
    /** The README's try-with-resources. */
    CHANNEL_THEN_HOSTS_THEN_GRPC(
        Closing.CHANNEL, Closing.CLIENT_HOST, Closing.SERVER_HOST, Closing.GRPC),
    GRPC_FIRST_CHANNEL_NEVER(Closing.GRPC, Closing.SERVER_HOST, Closing.CLIENT_HOST),
    CLIENT_HOST_FIRST_CHANNEL_NEVER(Closing.CLIENT_HOST, Closing.SERVER_HOST, Closing.GRPC),
    SERVER_HOST_FIRST_CHANNEL_NEVER(Closing.SERVER_HOST, Closing.CLIENT_HOST, Closing.GRPC),
    SERVER_HOST_FIRST(Closing.SERVER_HOST, Closing.GRPC, Closing.CHANNEL, Closing.CLIENT_HOST),
    CLIENT_HOST_FIRST(Closing.CLIENT_HOST, Closing.CHANNEL, Closing.GRPC, Closing.SERVER_HOST);

    private final List<Closing> steps;

    Order(Closing... steps) {
      this.steps = List.of(steps);
    }
  }

  @ParameterizedTest
  @EnumSource(Order.class)
  @DisplayName("Idle gRPC holds no shutdown up, whatever is closed first")
  void idleGrpcHoldsNoShutdownUp(Order order) {
    ManagedChannel channel = idleChannel();
    for (Closing step : order.steps) {
      switch (step) {
        case CLIENT_HOST -> await(client.shutdown(HOUR));
        case SERVER_HOST -> await(server.shutdown(HOUR));
        case GRPC -> await(grpc.shutdown(HOUR));
        case CHANNEL -> channel.shutdown();
      }
    }
    eventually("the channel has ended", channel::isTerminated);
  }

  @Test
  @DisplayName("Idle gRPC holds no shutdown up if both hosts end at once")
  void idleGrpcWhenBothHostsEnd() {
    List<ManagedChannel> channels = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      channels.add(idleChannel());
    }
    List<CompletionStage<Void>> ends = List.of(server.shutdown(HOUR), client.shutdown(HOUR));
    ends.forEach(Hosts::await);
    channels.forEach(channel -> eventually("the channel has ended", channel::isTerminated));
  }

  @Test
  void aChannelThatWasNeverUsedHoldsNoShutdownUp() {
    GrpcStream.wrapClient(open());
    await(client.shutdown(HOUR));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @DisplayName("A call on a stream that was ended on this side is not told that the peer did")
  void callOnAStreamEndedOnThisSide(boolean reset) {
    Stream stream = open();
    ManagedChannel channel = GrpcStream.wrapClient(stream);
    assertThat(Echo.unary(channel, "x")).isEqualTo("x");
    if (reset) {
      stream.reset();
    } else {
      stream.close();
    }
    await(stream.closed());
    assertThat(Echo.failure(channel, CallOptions.DEFAULT).getDescription())
        .contains(reset ? "it was reset" : "it was closed on this side")
        .doesNotContain("the peer takes no more calls");
  }

  private enum Unserved {
    OPEN,
    SHUT_DOWN,
    SHUT_DOWN_NOW
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("A stream that the peer never serves holds no shutdown up")
  void unservedStreamHoldsNoShutdownUp(Unserved state) {
    GrpcStream waiting = GrpcStream.builder().backlogTimeout(HOUR).build();
    ManagedChannel channel = GrpcStream.wrapClient(Hosts.open(client, server, waiting.handler()));
    switch (state) {
      case SHUT_DOWN -> channel.shutdown();
      case SHUT_DOWN_NOW -> channel.shutdownNow();
      case OPEN -> {}
    }
    await(client.shutdown(HOUR));
    await(waiting.shutdown(Duration.ZERO));
  }

  @Test
  void aClientOfAGrpcStreamHoldsNoShutdownUp() {
    GrpcStream caller = GrpcStream.create();
    assertThat(Echo.unary(caller.client(open()), "x")).isEqualTo("x");
    await(client.shutdown(HOUR));
    await(caller.shutdown(HOUR));
  }

  @Test
  @DisplayName("Streams that wait or are undecided hold no shutdown up")
  void waitingStreamsHoldNoShutdownUp() {
    GrpcStream accepting = GrpcStream.create();
    CompletionStage<GrpcConnection> accepted = accepting.accept();
    Hosts.open(client, server, accepting.handler());
    GrpcConnection undecided = await(accepted);
    Stream waiting = Hosts.open(client, server, accepting.handler());

    await(server.shutdown(HOUR));
    await(undecided.closed());
    await(waiting.closed());
    await(accepting.shutdown(HOUR));
  }

  @Test
  @DisplayName("Calls in flight finish while the host that serves them shuts down")
  void callsFinishWhileTheServerEnds() throws Exception {
    ManagedChannel channel = idleChannel();
    finishesDuring(channel, server);
  }

  @Test
  @DisplayName("Calls in flight finish while the host that made them shuts down")
  void callsFinishWhileTheCallerEnds() throws Exception {
    ManagedChannel channel = idleChannel();
    CompletableFuture<Void> end = finishesDuring(channel, client);
    await(end);
    Status late = Echo.failure(channel, CallOptions.DEFAULT.withWaitForReady());
    assertThat(late.getCode()).isEqualTo(Code.UNAVAILABLE);
    assertThat(late.getDescription()).contains(server.peerId().toString(), "shut down", "host");
  }

  private CompletableFuture<Void> finishesDuring(ManagedChannel channel, Host host)
      throws Exception {
    Echo.Responses responses = new Echo.Responses();
    StreamObserver<String> call = Echo.bidi(channel, responses);
    call.onNext("before");
    assertThat(responses.next()).isEqualTo("before");

    CompletableFuture<Void> end = host.shutdown(HOUR).toCompletableFuture();
    call.onNext("after");
    assertThat(responses.next()).isEqualTo("after");
    assertThat(end).isNotDone();
    call.onCompleted();
    responses.awaitEnd();
    await(end);
    return end;
  }

  @Test
  @DisplayName("gRPC that begins on a stream of a host that shuts down ends with it")
  void grpcBegunDuringAShutdown() {
    Stream held = open();
    Stream used = open();
    CompletableFuture<Void> end = client.shutdown(HOUR).toCompletableFuture();
    await(used.hostShutdown());
    ManagedChannel late = GrpcStream.wrapClient(used);
    assertThat(Echo.failure(late).getCode()).isEqualTo(Code.UNAVAILABLE);
    assertThat(end).isNotDone();
    held.close();
    await(end);
  }

  @Test
  @DisplayName("The user of any stream is told of the shutdown, and may end it")
  void userIsToldOfTheShutdown() {
    Stream stream = open();
    CompletableFuture<Boolean> onLoop = new CompletableFuture<>();
    stream
        .hostShutdown()
        .thenRun(
            () -> {
              onLoop.complete(stream.channel().eventLoop().inEventLoop());
              stream.close();
            });
    await(client.shutdown(HOUR));
    assertThat(onLoop).isCompletedWithValue(true);
  }
}
