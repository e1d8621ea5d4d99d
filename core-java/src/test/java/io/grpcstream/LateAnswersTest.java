package io.grpcstream;

import static io.grpcstream.Hosts.address;
import static io.grpcstream.Hosts.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpcstream.libp2p.Host;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Services that go on with a call whose host has ended. */
@Timeout(60)
class LateAnswersTest {
  private final Hosts hosts = new Hosts();
  private final CompletableFuture<ServerCall<String, String>> call = new CompletableFuture<>();
  private final GrpcStream grpc =
      GrpcStream.builder()
          .addService(
              ServerServiceDefinition.builder(Echo.NAME)
                  .addMethod(
                      Echo.BIDI,
                      (started, headers) -> {
                        call.complete(started);
                        return new ServerCall.Listener<>() {};
                      })
                  .addMethod(
                      Echo.UNARY,
                      (started, headers) -> {
                        call.complete(started);
                        return new ServerCall.Listener<>() {};
                      })
                  .build())
          .build()
          .serve();

  @AfterEach
  void close() {
    await(grpc.shutdown(Duration.ZERO));
    hosts.close();
  }

  @Test
  @DisplayName("What a service does after its host has ended throws nothing")
  void serviceAfterTheEndOfItsHost() {
    Host server = hosts.start(Hosts.TCP);
    Host client = hosts.start(builder -> builder);
    server.handle(Wire.PROTOCOL, grpc.handler());
    Echo.bidi(await(GrpcStream.dial(client, address(server), Wire.PROTOCOL)), new Echo.Responses())
        .onNext("begin");
    ServerCall<String, String> served = await(call);
    await(server.shutdown(Duration.ZERO));
    assertThatCode(
            () -> {
              served.request(1);
              served.sendHeaders(new Metadata());
              served.sendMessage("late");
              served.close(Status.OK, new Metadata());
            })
        .doesNotThrowAnyException();
  }

  @Test
  @DisplayName(
      "An answer that was given before the end of its host, and not sent, leaves no buffer")
  void answerBeforeTheEndOfItsHost() {
    Host server = hosts.start(Hosts.TCP);
    Host client = hosts.start(builder -> builder);
    server.handle(Wire.PROTOCOL, grpc.handler());
    ManagedChannel channel = await(GrpcStream.dial(client, address(server), Wire.PROTOCOL));
    ClientCalls.futureUnaryCall(channel.newCall(Echo.UNARY, CallOptions.DEFAULT), "begin");
    ServerCall<String, String> served = await(call);
    served.sendHeaders(new Metadata());
    served.sendMessage("early");
    await(server.shutdown(Duration.ZERO));
    served.close(Status.OK, new Metadata());
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @DisplayName(
      "A request that was given before the end of its host, and not sent, leaves no buffer")
  void requestBeforeTheEndOfItsHost(boolean goesOn) throws Exception {
    Host server = hosts.start(Hosts.TCP);
    Host client = hosts.start(builder -> builder);
    server.handle(Wire.PROTOCOL, grpc.handler());
    ManagedChannel channel = await(GrpcStream.dial(client, address(server), Wire.PROTOCOL));
    // A call that waits for its stream holds no buffer yet.
    Hosts.eventually("it is ready", () -> channel.getState(false) == ConnectivityState.READY);
    ClientCall<String, String> unary = channel.newCall(Echo.UNARY, CallOptions.DEFAULT);
    CompletableFuture<Status> ended = new CompletableFuture<>();
    unary.start(
        new ClientCall.Listener<>() {
          @Override
          public void onClose(Status status, Metadata trailers) {
            ended.complete(status);
          }
        },
        new Metadata());
    unary.request(1);
    unary.sendMessage("early");
    await(client.shutdown(Duration.ZERO));
    if (goesOn) {
      unary.halfClose();
    } else {
      unary.cancel("not wanted any more", null);
    }
    assertThat(await(ended).isOk()).isFalse();
  }
}
