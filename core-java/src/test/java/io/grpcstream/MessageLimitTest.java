package io.grpcstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCalls;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Requests over the server's message limit. What the caller sees is grpc-java's own doing: it is
 * the same over its plain TCP, but for one that is too large only when it is decompressed.
 */
@Timeout(60)
class MessageLimitTest {
  enum Over {
    STREAM,
    PLAIN_TCP
  }

  private static final int LIMIT = 10_000;
  private static final String TOO_LARGE = "x".repeat(2 * LIMIT);

  private final Wire wire = Wire.tcp();
  private final GrpcStream grpc =
      GrpcStream.builder()
          .addService(Echo.service())
          .configureServer(server -> server.maxInboundMessageSize(LIMIT))
          .build()
          .serve();
  private Server plain;
  private ManagedChannel channel;

  @BeforeEach
  void start() throws Exception {
    plain =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .addService(Echo.service())
            .maxInboundMessageSize(LIMIT)
            .build()
            .start();
  }

  @AfterEach
  void close() throws Exception {
    channel.shutdownNow();
    plain.shutdownNow();
    assertThat(plain.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
    assertThat(channel.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
    Hosts.await(grpc.shutdown(Duration.ZERO));
    wire.close();
  }

  private ManagedChannel connect(Over over) {
    channel =
        over == Over.STREAM
            ? GrpcStream.wrapClient(wire.open(grpc.handler()))
            : NettyChannelBuilder.forAddress(plain.getListenSockets().get(0))
                .usePlaintext()
                .build();
    return channel;
  }

  private Code failureOf(Over over, CallOptions options) {
    ManagedChannel to = connect(over);
    Throwable failure =
        catchThrowable(() -> ClientCalls.blockingUnaryCall(to, Echo.UNARY, options, TOO_LARGE));
    return Status.fromThrowable(failure).getCode();
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("A first request that is too large fails as RESOURCE_EXHAUSTED")
  void firstRequestThatIsTooLarge(Over over) {
    assertThat(failureOf(over, CallOptions.DEFAULT)).isEqualTo(Code.RESOURCE_EXHAUSTED);
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName(
      "A request that is too large when decompressed is UNKNOWN to gRPC alone and RESOURCE_EXHAUSTED to us")
  void requestTooLargeWhenDecompressed(Over over) {
    assertThat(failureOf(over, CallOptions.DEFAULT.withCompression("gzip")))
        .isEqualTo(over == Over.STREAM ? Code.RESOURCE_EXHAUSTED : Code.UNKNOWN);
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("A request that is too large behind a response fails as CANCELLED")
  void requestTooLargeBehindAResponse(Over over) throws Exception {
    Echo.Responses responses = new Echo.Responses();
    var call = Echo.bidi(connect(over), responses);
    call.onNext("small");
    assertThat(responses.next()).isEqualTo("small");
    call.onNext(TOO_LARGE);
    assertThat(responses.failure().getCode()).isEqualTo(Code.CANCELLED);
  }
}
