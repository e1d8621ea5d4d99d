package io.grpcstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.stub.StreamObserver;
import io.grpcstream.libp2p.LogLines;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Headers, trailers and status texts beyond what the other side takes (8 KiB by default): that call
 * says what it can, and others on the stream go on.
 */
@Timeout(60)
class HeaderLimitTest {
  private static final Metadata.Key<byte[]> DETAILS =
      Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);
  private static final Metadata.Key<String> LARGE = key("large");
  private static final Metadata.Key<String> SMALL = key("small");

  private final Wire wire = Wire.tcp();
  private final LogLines log = new LogLines();
  private final Echo.Responses responses = new Echo.Responses();
  private final GrpcStream grpc =
      GrpcStream.builder().addService(Echo.service()).intercept(new Wordy()).build().serve();
  private volatile int headers;
  private volatile Status status = Status.OK;
  private volatile Metadata trailers = new Metadata();
  private ManagedChannel channel;
  private StreamObserver<String> other;

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }

  /** Ends unary calls as the test wants it. */
  private final class Wordy implements ServerInterceptor {
    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, R> call, Metadata request, ServerCallHandler<Q, R> next) {
      if (!call.getMethodDescriptor().getFullMethodName().endsWith("Unary")) {
        return next.startCall(call, request);
      }
      return next.startCall(
          new SimpleForwardingServerCall<>(call) {
            @Override
            public void sendHeaders(Metadata own) {
              if (headers > 0) {
                own.put(LARGE, "h".repeat(headers));
              }
              super.sendHeaders(own);
            }

            @Override
            public void close(Status ended, Metadata own) {
              own.merge(trailers);
              super.close(status, own);
            }
          },
          request);
    }
  }

  @BeforeEach
  void open() throws Exception {
    channel = GrpcStream.wrapClient(wire.open(grpc.handler()));
    other = Echo.bidi(channel, responses);
    othersGoOn();
  }

  @AfterEach
  void close() throws Exception {
    log.close();
    channel.shutdownNow();
    grpc.shutdown(Duration.ZERO).toCompletableFuture().get(10, TimeUnit.SECONDS);
    wire.close();
  }

  private void othersGoOn() throws InterruptedException {
    other.onNext("on");
    assertThat(responses.next()).isEqualTo("on");
  }

  private record End(Status status, Metadata trailers) {}

  private End call(Metadata request) {
    CompletableFuture<End> end = new CompletableFuture<>();
    ClientCall<String, String> call = channel.newCall(Echo.UNARY, CallOptions.DEFAULT);
    call.start(
        new ClientCall.Listener<>() {
          @Override
          public void onClose(Status ended, Metadata received) {
            end.complete(new End(ended, received));
          }
        },
        request);
    call.request(2);
    call.sendMessage("request");
    call.halfClose();
    return Hosts.await(end);
  }

  @ParameterizedTest
  @ValueSource(ints = {8_000, 9_000, 12_000, 1_000_000})
  @DisplayName("A status text beyond the limit keeps its code, is shortened, and says so")
  void statusTextBeyondTheLimit(int length) throws Exception {
    status = Status.DATA_LOSS.withDescription("why: " + "ä".repeat(length));
    End end = call(new Metadata());
    assertThat(end.status.getCode()).isEqualTo(Code.DATA_LOSS);
    assertThat(end.status.getDescription())
        .startsWith("why: ää")
        .contains("ä… (shortened: ", "takes 8,192)");
    log.await(
        "WARN io.grpcstream.GrpcStream",
        "ended with less than its service said",
        "takes 8,192",
        "maxInboundMetadataSize",
        Echo.UNARY.getFullMethodName());
    othersGoOn();
  }

  @Test
  @DisplayName("Rich details beyond the limit are left out, and the rest stays")
  void richDetailsBeyondTheLimit() throws Exception {
    status = Status.ABORTED.withDescription("retry");
    Metadata large = new Metadata();
    large.put(DETAILS, new byte[7_000]);
    large.put(SMALL, "stays");
    trailers = large;
    End end = call(new Metadata());
    assertThat(end.status.getCode()).isEqualTo(Code.ABORTED);
    assertThat(end.status.getDescription()).startsWith("retry (shortened: ");
    assertThat(end.trailers.get(SMALL)).isEqualTo("stays");
    assertThat(end.trailers.containsKey(DETAILS)).isFalse();
    othersGoOn();
  }

  @ParameterizedTest
  @ValueSource(ints = {8_500, 100_000})
  @DisplayName("Trailers beyond the limit are left out, and the rest stays")
  void trailersBeyondTheLimit(int length) throws Exception {
    status = Status.ABORTED;
    Metadata large = new Metadata();
    large.put(LARGE, "t".repeat(length));
    large.put(SMALL, "stays");
    trailers = large;
    End end = call(new Metadata());
    assertThat(end.status.getCode()).isEqualTo(Code.ABORTED);
    assertThat(end.status.getDescription()).startsWith("(shortened: ");
    assertThat(end.trailers.get(SMALL)).isEqualTo("stays");
    othersGoOn();
  }

  @Test
  void whatFitsIsSentAsItIs() {
    status = Status.ABORTED.withDescription("x".repeat(7_500));
    assertThat(call(new Metadata()).status.getDescription()).isEqualTo("x".repeat(7_500));
  }

  @ParameterizedTest
  @ValueSource(ints = {8_500, 100_000})
  @DisplayName("Initial metadata beyond the limit fails that call and says why")
  void initialMetadataBeyondTheLimit(int length) throws Exception {
    headers = length;
    End end = call(new Metadata());
    assertThat(end.status.getCode()).isEqualTo(Code.RESOURCE_EXHAUSTED);
    assertThat(end.status.getDescription()).contains("initial metadata of", "takes 8,192");
    log.await(
        "WARN io.grpcstream.GrpcStream",
        "failed with RESOURCE_EXHAUSTED: initial metadata of",
        "maxInboundMetadataSize");
    othersGoOn();
  }

  @ParameterizedTest
  @ValueSource(ints = {8_500, 100_000})
  @DisplayName("Request headers beyond the limit fail that call and say why")
  void requestHeadersBeyondTheLimit(int length) throws Exception {
    Metadata large = new Metadata();
    large.put(LARGE, "r".repeat(length));
    End end = call(large);
    assertThat(end.status.getCode()).as("%s", end.status).isEqualTo(Code.RESOURCE_EXHAUSTED);
    assertThat(end.status.getDescription()).contains("the call's headers", "takes 8,192", "peer ");
    othersGoOn();
    assertThat(call(new Metadata()).status.getCode()).isEqualTo(Code.OK);
  }
}
