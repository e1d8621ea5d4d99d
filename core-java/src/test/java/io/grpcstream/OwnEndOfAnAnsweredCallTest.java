package io.grpcstream;

import static io.grpcstream.Hosts.address;
import static io.grpcstream.Hosts.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ClientStreamTracer;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpcstream.libp2p.Host;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Calls that this side ends when their answer has come, but was not passed on yet. */
@Timeout(60)
class OwnEndOfAnAnsweredCallTest {
  private final Hosts hosts = new Hosts();
  private final Host server = hosts.start(Hosts.MEMORY);
  private final Host client = hosts.start(Hosts.MEMORY);
  private final GrpcStream grpc = GrpcStream.builder().addService(Echo.service()).build().serve();

  enum Over {
    STREAM,
    PEER
  }

  @AfterEach
  void close() {
    grpc.shutdown(Duration.ZERO);
    hosts.close();
  }

  private ManagedChannel channel(Over over) {
    server.handle(Wire.PROTOCOL, grpc.handler());
    ManagedChannelBuilder<?> builder =
        over == Over.STREAM
            ? GrpcStream.wrapClientBuilder(Hosts.open(client, server, grpc.handler()))
            : PeerChannelBuilder.forAddress(client, address(server), Wire.PROTOCOL);
    return builder.maxInboundMessageSize(1_000).build();
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("A response past this side's limit is RESOURCE_EXHAUSTED, and names the peer")
  void responsePastTheLimit(Over over) throws Exception {
    ManagedChannel channel = channel(over);
    AtomicBoolean answered = new AtomicBoolean();
    CallOptions options =
        CallOptions.DEFAULT.withStreamTracerFactory(
            new ClientStreamTracer.Factory() {
              @Override
              public ClientStreamTracer newClientStreamTracer(
                  ClientStreamTracer.StreamInfo info, Metadata headers) {
                return new ClientStreamTracer() {
                  @Override
                  public void inboundTrailers(Metadata trailers) {
                    answered.set(true);
                  }
                };
              }
            });
    ClientCall<String, String> call = channel.newCall(Echo.UNARY, options);
    CompletableFuture<Status> end = new CompletableFuture<>();
    call.start(
        new ClientCall.Listener<>() {
          @Override
          public void onClose(Status status, Metadata trailers) {
            end.complete(status);
          }
        },
        new Metadata());
    call.sendMessage("x".repeat(2_000));
    call.halfClose();
    eventually("all of the answer has come", answered::get);
    call.request(1);
    Status status = end.get(20, TimeUnit.SECONDS);
    assertThat(status.getCode()).isEqualTo(Code.RESOURCE_EXHAUSTED);
    assertThat(status.getDescription())
        .contains("exceeds maximum size", Wire.PROTOCOL)
        .containsOnlyOnce(server.peerId().toString());
    channel.shutdownNow();
  }
}
