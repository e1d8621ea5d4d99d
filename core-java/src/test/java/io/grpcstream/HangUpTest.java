package io.grpcstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Stream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Peers that hang up while calls to them are being made: each failure says who, where and why. */
@Timeout(120)
class HangUpTest {
  private static final int CALLS = 400;
  private static final int LATEST_HANG_UP_MICROS = 3_000;

  private final Hosts hosts = new Hosts();
  private final Host listener = hosts.start(Hosts.TCP);
  private final Host opener = hosts.start(Hosts.TCP);
  private final GrpcStream server = GrpcStream.builder().addService(Echo.service()).build().serve();

  @AfterEach
  void close() {
    hosts.close();
    server.close();
  }

  private void assertNamed(Status failure) {
    assertThat(failure.getCode()).as(failure.toString()).isEqualTo(Code.UNAVAILABLE);
    assertThat(failure.getDescription())
        .contains("to peer " + listener.peerId() + " at /ip4/127.0.0.1/tcp/")
        .doesNotEndWith("io exception");
  }

  @Test
  @DisplayName("Calls whose peer hangs up at any moment name peer and address")
  void callsWhosePeerHangsUp() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    List<CompletableFuture<Status>> ends = new ArrayList<>();
    listener.handle(Wire.PROTOCOL, stream -> serveBriefly(stream, random.nextInt(4), random));
    for (int i = 0; i < CALLS; i++) {
      opener
          .newStream(Hosts.address(listener), Wire.PROTOCOL)
          .thenAccept(
              stream -> {
                ManagedChannel channel = GrpcStream.wrapClient(stream);
                ClientCall<String, String> call = channel.newCall(Echo.BIDI, CallOptions.DEFAULT);
                ends.add(talkUntilTheEnd(call));
              })
          .toCompletableFuture()
          .handle((done, failure) -> failure) // A stream that is reset before it is opened.
          .orTimeout(20, TimeUnit.SECONDS)
          .join();
    }

    int lost = 0;
    for (CompletableFuture<Status> end : ends) {
      Status status = end.orTimeout(20, TimeUnit.SECONDS).join();
      if (!status.isOk()) {
        lost++;
        assertThat(status).as("seed " + seed).satisfies(this::assertNamed);
      }
    }
    assertThat(lost).as("calls that were cut, seed " + seed).isGreaterThan(CALLS / 4);
  }

  /** Serves a stream, or takes it in silence, and ends it in a moment, in one of several ways. */
  private void serveBriefly(Stream stream, int how, Random random) {
    if (how == 0) {
      stream.channel().config().setAutoRead(false);
    } else {
      server.onStream(stream);
    }
    Runnable hangUp =
        switch (how) {
          case 0, 1 -> stream::reset;
          case 2 -> stream::close;
          default -> () -> stream.channel().parent().close();
        };
    int delay = random.nextInt(LATEST_HANG_UP_MICROS);
    stream.channel().eventLoop().schedule(hangUp, delay, TimeUnit.MICROSECONDS);
  }

  /** Sends one request at once, and one for each response. */
  private static CompletableFuture<Status> talkUntilTheEnd(ClientCall<String, String> call) {
    CompletableFuture<Status> end = new CompletableFuture<>();
    call.start(
        new ClientCall.Listener<>() {
          @Override
          public void onMessage(String message) {
            call.sendMessage(message);
            call.request(1);
          }

          @Override
          public void onClose(Status status, Metadata trailers) {
            end.complete(status);
          }
        },
        new Metadata());
    call.request(1);
    call.sendMessage("x".repeat(2_000));
    return end;
  }

  @Test
  @DisplayName("A call made before and started after the end of the stream names peer and address")
  void callStartedAfterTheStreamsEnd() {
    Stream stream = Hosts.open(opener, listener, server.handler());
    ManagedChannel channel = GrpcStream.wrapClient(stream);
    ClientCall<String, String> call = channel.newCall(Echo.BIDI, CallOptions.DEFAULT);
    stream.reset();
    Hosts.await(stream.closed());
    Hosts.eventually("the channel has terminated", channel::isTerminated);

    assertNamed(talkUntilTheEnd(call).orTimeout(20, TimeUnit.SECONDS).join());
  }

  @Test
  @DisplayName(
      "A call made before and started after its channel was shut down names peer and address")
  void callStartedAfterTheChannelsShutdown() {
    ManagedChannel channel = GrpcStream.wrapClient(Hosts.open(opener, listener, server.handler()));
    ClientCall<String, String> call = channel.newCall(Echo.BIDI, CallOptions.DEFAULT);
    channel.shutdown();

    Status failure = talkUntilTheEnd(call).orTimeout(20, TimeUnit.SECONDS).join();
    assertNamed(failure);
    assertThat(failure.getDescription()).contains("shut down");
  }

  @Test
  @DisplayName("A channel over a stream whose host is gone fails at once and terminates")
  void channelOverAStreamOfAGoneHost() {
    Stream stream = Hosts.open(opener, listener, server.handler());
    Hosts.await(opener.shutdown(Duration.ZERO));
    Hosts.eventually("the loop is gone", stream.channel().eventLoop()::isShutdown);
    ManagedChannel channel = GrpcStream.wrapClient(stream);

    assertNamed(Echo.failure(channel));
    assertNamed(Echo.failure(channel, CallOptions.DEFAULT.withWaitForReady()));
    Hosts.eventually("the channel has terminated", channel::isTerminated);
  }

  @Test
  @DisplayName("A call that is cut while its peer drains names peer, address and reason")
  void callCutWhileItsPeerDrains() throws Exception {
    ManagedChannel channel = GrpcStream.wrapClient(Hosts.open(opener, listener, server.handler()));
    Echo.Responses responses = new Echo.Responses();
    Echo.bidi(channel, responses).onNext("in flight");
    assertThat(responses.next()).isEqualTo("in flight");
    Hosts.await(server.shutdown(Duration.ofMillis(50)));

    Status failure = responses.failure();
    assertNamed(failure);
    assertThat(failure.getDescription()).contains("GOAWAY");
  }

  @Test
  void statusThatTheServiceSendsIsLeftAsItIs() {
    Status sent = Status.UNAVAILABLE.withDescription("io exception");
    ServerServiceDefinition failingService =
        ServerServiceDefinition.builder(Echo.NAME)
            .addMethod(
                Echo.UNARY,
                ServerCalls.asyncUnaryCall(
                    (String request, StreamObserver<String> responses) ->
                        responses.onError(sent.asRuntimeException())))
            .build();
    GrpcStream failing = GrpcStream.builder().addService(failingService).build().serve();
    ManagedChannel channel = GrpcStream.wrapClient(Hosts.open(opener, listener, failing.handler()));

    Status failure = Echo.failure(channel);
    assertThat(failure.getCode()).isEqualTo(Code.UNAVAILABLE);
    assertThat(failure.getDescription()).isEqualTo("io exception");
    Hosts.await(failing.shutdown(Duration.ZERO));
  }
}
