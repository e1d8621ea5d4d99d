package io.grpcstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Status.Code;
import io.grpcstream.libp2p.Stream;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class RetryTest {
  private static final Map<String, ?> POLICY =
      Map.of(
          "methodConfig",
          List.of(
              Map.of(
                  "name",
                  List.of(Map.of("service", Echo.NAME)),
                  "retryPolicy",
                  Map.of(
                      "maxAttempts",
                      3.0,
                      "initialBackoff",
                      "0.01s",
                      "maxBackoff",
                      "0.01s",
                      "backoffMultiplier",
                      1.0,
                      "retryableStatusCodes",
                      List.of("UNKNOWN")))));

  private final AtomicInteger attempts = new AtomicInteger();
  private final Wire wire = Wire.tcp();
  private final GrpcStream server =
      GrpcStream.builder().addService(Echo.service(this::replyAtTheSecond)).build().serve();

  private String replyAtTheSecond(String request) {
    if (attempts.incrementAndGet() == 1) {
      throw new IllegalStateException("not yet");
    }
    return request;
  }

  @AfterEach
  void close() throws Exception {
    server.shutdown(Duration.ZERO).toCompletableFuture().get(10, TimeUnit.SECONDS);
    wire.close();
  }

  private ManagedChannelBuilder<?> builder() {
    Stream stream = wire.open(Wire.peer(), Wire.peer(), Wire.PROTOCOL, server.handler());
    return GrpcStream.wrapClientBuilder(stream);
  }

  private void assertNotTriedAgain(ManagedChannel channel) {
    assertThat(Echo.failure(channel, CallOptions.DEFAULT).getCode()).isEqualTo(Code.UNKNOWN);
    assertThat(attempts).hasValue(1);
  }

  @Test
  void aCallIsTriedAgainAsTheServiceConfigSays() {
    ManagedChannel channel = builder().defaultServiceConfig(POLICY).build();
    assertThat(Echo.unary(channel, "hello")).isEqualTo("hello");
    assertThat(attempts).hasValue(2);
  }

  @Test
  void noCallIsTriedAgainWithoutAPolicy() {
    assertNotTriedAgain(builder().enableRetry().build());
  }

  @Test
  void retriesCanBeSwitchedOffBeforeAPolicyIsSet() {
    assertNotTriedAgain(builder().disableRetry().defaultServiceConfig(POLICY).build());
  }

  @Test
  void retriesCanBeSwitchedOffAfterAPolicyWasSet() {
    assertNotTriedAgain(builder().defaultServiceConfig(POLICY).disableRetry().build());
  }
}
