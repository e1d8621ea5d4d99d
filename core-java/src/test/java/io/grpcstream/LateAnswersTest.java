package io.grpcstream;

import static io.grpcstream.Hosts.address;
import static io.grpcstream.Hosts.await;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpcstream.libp2p.Host;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.time.Duration;
import java.util.Arrays;
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
  private final Host server = hosts.start(Hosts.TCP);
  private final Host client = hosts.start(builder -> builder);
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

  private static final MethodDescriptor.Marshaller<byte[]> BYTES =
      new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(byte[] bytes) {
          return new ByteArrayInputStream(bytes);
        }

        @Override
        public byte[] parse(InputStream stream) {
          throw new UnsupportedOperationException("only sent");
        }
      };

  private ManagedChannel channelTo(GrpcStream served) {
    server.handle(Wire.PROTOCOL, served.handler());
    return await(GrpcStream.dial(client, address(server), Wire.PROTOCOL));
  }

  /** A call that has come to its service, which has not answered. */
  private ServerCall<String, String> unaryCall() {
    ClientCalls.futureUnaryCall(channelTo(grpc).newCall(Echo.UNARY, CallOptions.DEFAULT), "begin");
    return await(call);
  }

  @Test
  @DisplayName("What a service does after its host has ended throws nothing")
  void serviceAfterTheEndOfItsHost() {
    Echo.bidi(channelTo(grpc), new Echo.Responses()).onNext("begin");
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
    ServerCall<String, String> served = unaryCall();
    served.sendHeaders(new Metadata());
    served.sendMessage("early");
    await(server.shutdown(Duration.ZERO));
    served.close(Status.OK, new Metadata());
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @DisplayName(
      "A request that was given before the end of its host, and not sent, leaves no buffer")
  void requestBeforeTheEndOfItsHost(boolean goesOn) {
    ManagedChannel channel = channelTo(grpc);
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

  @Test
  @DisplayName("What an answer was made of may be used anew as soon as it was sent")
  void answerFromWhatIsUsedAnew() {
    MethodDescriptor<String, byte[]> method =
        Echo.UNARY.toBuilder(Echo.UNARY.getRequestMarshaller(), BYTES).build();
    GrpcStream copying =
        GrpcStream.builder()
            .addService(
                ServerServiceDefinition.builder(Echo.NAME)
                    .addMethod(
                        method,
                        (started, headers) -> {
                          byte[] buffer = "answer".getBytes(UTF_8);
                          started.sendHeaders(new Metadata());
                          started.sendMessage(buffer);
                          Arrays.fill(buffer, (byte) '-');
                          started.close(Status.OK, new Metadata());
                          return new ServerCall.Listener<>() {};
                        })
                    .build())
            .build()
            .serve();
    assertThat(Echo.unary(channelTo(copying), "begin")).isEqualTo("answer");
    await(copying.shutdown(Duration.ZERO));
  }

  @Test
  @DisplayName("An answer after the end of its call is refused, as by gRPC")
  void answerAfterTheEnd() {
    ServerCall<String, String> served = unaryCall();
    served.sendHeaders(new Metadata());
    served.close(Status.NOT_FOUND, new Metadata());
    assertThatThrownBy(() -> served.sendMessage("late"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }
}
