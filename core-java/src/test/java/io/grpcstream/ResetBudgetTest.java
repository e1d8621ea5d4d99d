package io.grpcstream;

import static io.grpc.ConnectivityState.TRANSIENT_FAILURE;
import static io.grpcstream.Hosts.address;
import static io.grpcstream.Hosts.await;
import static io.grpcstream.Hosts.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.LogLines;
import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.crypto.PrivateKey;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Iterator;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Resets of calls: what normal use brings about costs nothing, what a caller alone can do ends. */
@Timeout(120)
class ResetBudgetTest {
  private static final int CALLS = 3_000;

  private final Hosts hosts = new Hosts();
  private final LogLines log = new LogLines();
  private final GrpcStream grpc =
      GrpcStream.builder().addService(Echo.service()).addService(Early.service()).build().serve();
  private Host server;

  @BeforeEach
  void open() {
    server = hosts.start(Hosts.TCP);
    server.handle(Wire.PROTOCOL, grpc.handler());
  }

  @AfterEach
  void close() throws Exception {
    log.close();
    hosts.close();
    grpc.shutdown(Duration.ZERO).toCompletableFuture().get(10, TimeUnit.SECONDS);
  }

  private ManagedChannel channel() {
    Host caller = hosts.start(builder -> builder);
    return await(GrpcStream.dial(caller, address(server), Wire.PROTOCOL));
  }

  /** Services that end calls, or begin to answer, before the caller has sent all. */
  private static final class Early {
    static final MethodDescriptor<String, String> ANSWER = method("Answer", Echo.CLIENT_STREAM);
    static final MethodDescriptor<String, String> REFUSE = method("Refuse", Echo.CLIENT_STREAM);
    static final MethodDescriptor<String, String> WAIT = method("Wait", Echo.UNARY);

    private static MethodDescriptor<String, String> method(
        String name, MethodDescriptor<String, String> like) {
      return like.toBuilder().setFullMethodName("test.Early/" + name).build();
    }

    static ServerServiceDefinition service() {
      return ServerServiceDefinition.builder("test.Early")
          .addMethod(
              ANSWER,
              ServerCalls.asyncClientStreamingCall(
                  (StreamObserver<String> responses) ->
                      new Ignoring() {
                        @Override
                        public void onNext(String request) {
                          responses.onNext(request);
                          responses.onCompleted();
                        }
                      }))
          .addMethod(
              REFUSE,
              ServerCalls.asyncClientStreamingCall(
                  (StreamObserver<String> responses) -> {
                    responses.onError(Status.FAILED_PRECONDITION.asException());
                    return new Ignoring();
                  }))
          .addMethod(WAIT, ServerCalls.asyncUnaryCall((request, responses) -> {}))
          .build();
    }

    private static class Ignoring implements StreamObserver<String> {
      @Override
      public void onNext(String request) {}

      @Override
      public void onError(Throwable failure) {}

      @Override
      public void onCompleted() {}
    }
  }

  /** Starts a client stream that sends one message and does not complete. */
  private static Status unfinished(
      ManagedChannel channel, MethodDescriptor<String, String> method) {
    ClientCall<String, String> call = channel.newCall(method, CallOptions.DEFAULT);
    CompletableFuture<Status> end = new CompletableFuture<>();
    call.start(
        new ClientCall.Listener<>() {
          @Override
          public void onClose(Status status, Metadata trailers) {
            end.complete(status);
          }
        },
        new Metadata());
    call.request(2);
    call.sendMessage("request");
    return await(end);
  }

  private void eachIs(Code code, Supplier<Status> call) {
    for (int i = 0; i < CALLS; i++) {
      Status status = call.get();
      assertThat(status.getCode()).as("call %s: %s", i, status).isEqualTo(code);
    }
    assertThat(server.stats().refusals(Refusal.CALL_RESETS)).isZero();
  }

  @Test
  @DisplayName("Three thousand calls in a row that the service answers early are all OK")
  void callsAnsweredEarlyAreAllOk() {
    ManagedChannel channel = channel();
    eachIs(Code.OK, () -> unfinished(channel, Early.ANSWER));
  }

  @Test
  @DisplayName("Three thousand calls in a row that the service refuses early all get its status")
  void callsRefusedEarlyGetTheirStatus() {
    ManagedChannel channel = channel();
    eachIs(Code.FAILED_PRECONDITION, () -> unfinished(channel, Early.REFUSE));
  }

  @Test
  @DisplayName(
      "Three thousand calls in a row that the caller leaves after the first message are all served")
  void callsLeftByTheirCallerAreServed() {
    ManagedChannel channel = channel();
    eachIs(
        Code.OK,
        () -> {
          Context.CancellableContext scope = Context.current().withCancellation();
          Context before = scope.attach();
          try {
            Iterator<String> responses =
                ClientCalls.blockingServerStreamingCall(
                    channel, Echo.SERVER_STREAM, CallOptions.DEFAULT, "first");
            assertThat(responses.next()).isEqualTo("first");
          } finally {
            scope.detach(before);
            scope.cancel(null);
          }
          return Status.OK;
        });
  }

  @Test
  @DisplayName("A deadline that passes in a slow service costs nothing")
  void deadlineInASlowServiceCostsNothing() {
    ManagedChannel channel = channel();
    CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(1_100, TimeUnit.MILLISECONDS);
    CompletableFuture<?>[] ends = new CompletableFuture<?>[900];
    for (int i = 0; i < ends.length; i++) {
      CompletableFuture<Object> end = new CompletableFuture<>();
      ends[i] = end;
      ClientCalls.asyncUnaryCall(
          channel.newCall(Early.WAIT, options),
          "request",
          new StreamObserver<String>() {
            @Override
            public void onNext(String response) {}

            @Override
            public void onError(Throwable failure) {
              end.complete(failure);
            }

            @Override
            public void onCompleted() {}
          });
    }
    await(CompletableFuture.allOf(ends));
    assertThat(Echo.unary(channel, "still there")).isEqualTo("still there");
    assertThat(server.stats().refusals(Refusal.CALL_RESETS)).isZero();
  }

  @Test
  @DisplayName(
      "Resets over many streams and connections of one peer are cut, counted and logged early")
  void resetsOverManyStreamsAreCut() throws Exception {
    ManagedChannel honest = channel();
    PrivateKey key = PrivateKey.generateEd25519();
    Host[] hostile = {
      hosts.start(builder -> builder.identity(key)), hosts.start(builder -> builder.identity(key))
    };
    // 600 on each stream, fewer than any budget of a stream would cut, and two at a time.
    int streams = 0;
    int sent = 0;
    while (server.stats().refusals(Refusal.CALL_RESETS) < 3 && streams < 200) {
      CompletableFuture<Stream> opening =
          hostile[streams++ % 2].newStream(address(server), Wire.PROTOCOL).toCompletableFuture();
      eventually("the stream is open or refused", opening::isDone);
      if (opening.isCompletedExceptionally()) {
        continue; // The reset has overtaken the agreement.
      }
      RawHttp2 raw = new RawHttp2(opening.join());
      ByteArrayOutputStream flood = new ByteArrayOutputStream();
      flood.writeBytes(RawHttp2.preface());
      for (int i = 0; i < 600; i++) {
        flood.writeBytes(RawHttp2.callAndReset(2 * i + 1));
      }
      sent += 600;
      raw.send(flood.toByteArray());
      // The end, or the answer to a ping behind all that.
      raw.send(RawHttp2.frame(8, 6, 0, 0), "reached!".getBytes(StandardCharsets.US_ASCII));
      eventually(
          "the flood is taken, or its stream has ended",
          () -> raw.sent().contains("reached!") || !raw.stream.channel().isActive());
    }
    assertThat(server.stats().refusals(Refusal.CALL_RESETS)).isGreaterThanOrEqualTo(3);
    assertThat(sent).as("resets sent until the third refusal").isLessThan(20_000);
    log.await("CALL_RESETS", "limit 2,000 in 10 s", hostile[0].peerId());
    assertThat(Echo.unary(honest, "unharmed")).isEqualTo("unharmed");
    assertThat(Echo.unary(channel(), "also unharmed")).isEqualTo("also unharmed");
  }

  @Test
  @DisplayName("Calls after that of a caller that lost its stream say why")
  void laterCallsSayWhyTheStreamWasLost() {
    GrpcStream strict =
        GrpcStream.builder()
            .addService(Early.service())
            .callLimits(CallLimits.builder().resets(10).build())
            .build()
            .serve();
    server.handle("/strict/1", strict.handler());
    Host caller = hosts.start(builder -> builder);
    ManagedChannel channel = await(GrpcStream.dial(caller, address(server), "/strict/1"));
    // A call that is cancelled before the channel is ready is never sent.
    assertThat(Echo.failure(channel).getCode()).isEqualTo(Code.UNIMPLEMENTED);
    for (int i = 0; i < 100; i++) {
      ClientCall<String, String> call = channel.newCall(Early.WAIT, CallOptions.DEFAULT);
      call.start(new ClientCall.Listener<>() {}, new Metadata());
      call.sendMessage("request");
      call.halfClose();
      call.cancel("not wanted any more", null);
    }
    eventually("the channel has ended", () -> channel.getState(false) == TRANSIENT_FAILURE);
    assertThat(Echo.failure(channel).getDescription())
        .contains(server.peerId().toString(), "GOAWAY", "ENHANCE_YOUR_CALM");
    assertThat(strict.shutdown(Duration.ZERO)).succeedsWithin(Duration.ofSeconds(30));
  }

  @Test
  @DisplayName("Calls that make the server reset them cost as much as resets")
  void resetsByTheServerCostAsMuch() throws Exception {
    ManagedChannel honest = channel();
    Host hostile = hosts.start(builder -> builder);
    RawHttp2 raw = new RawHttp2(hostile, server);
    byte[] noGrpc = RawHttp2.headers(RawHttp2.request().add("grpc-timeout", "soon"));
    ByteArrayOutputStream flood = new ByteArrayOutputStream();
    flood.writeBytes(RawHttp2.preface());
    for (int i = 0; i < CALLS; i++) {
      flood.writeBytes(RawHttp2.frame(noGrpc.length, 1, 4, 2 * i + 1));
      flood.writeBytes(noGrpc);
    }
    raw.send(flood.toByteArray());
    raw.ends();
    log.await("CALL_RESETS", "limit 2,000 in 10 s", hostile.peerId());
    assertThat(Echo.unary(honest, "unharmed")).isEqualTo("unharmed");
  }
}
