package io.grpcstream;

import static io.grpcstream.Hosts.address;
import static io.grpcstream.Hosts.await;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpcstream.libp2p.Host;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

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
}
