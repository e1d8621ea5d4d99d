package io.grpcstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpcstream.libp2p.Stream;
import io.netty.buffer.Unpooled;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** gRPC over streams that behave as those of jvm-libp2p, where they differ from others. */
@Timeout(60)
class MuxedStreamTest {
  private static final String BIG = "a".repeat(3 << 20);

  private final Wire wire = Wire.muxed();
  private final GrpcStream grpc = GrpcStream.builder().addService(Echo.service()).build();
  private final CompletableFuture<Stream> accepted = new CompletableFuture<>();

  @AfterEach
  void close() throws Exception {
    get(grpc.shutdown(Duration.ZERO).toCompletableFuture());
    wire.close();
  }

  private static <T> T get(Future<T> future) throws Exception {
    return future.get(10, TimeUnit.SECONDS);
  }

  private Stream open() {
    return wire.open(
        stream -> {
          accepted.complete(stream);
          grpc.onStream(stream);
        });
  }

  @Test
  @DisplayName("What comes while a stream waits to be accepted is not lost")
  void bytesBeforeTheAcceptAreNotLost() throws Exception {
    ManagedChannel channel = GrpcStream.wrapClient(open());
    Echo.Responses responses = new Echo.Responses();
    var call = Echo.bidi(channel, responses);
    call.onNext("hello");
    GrpcConnection connection = get(grpc.accept().toCompletableFuture());
    connection.serve();

    assertThat(responses.next()).isEqualTo("hello");
    call.onCompleted();
    responses.awaitEnd();
  }

  @Test
  @DisplayName("A peer that floods a waiting stream is reset, and the next is served")
  void floodOfAWaitingStream() throws Exception {
    Stream flooding = open();
    flooding.channel().writeAndFlush(Unpooled.buffer().writeZero(2 << 20));
    get(flooding.closed().toCompletableFuture());
    get(get(accepted).closed().toCompletableFuture());

    ManagedChannel channel = GrpcStream.wrapClient(open());
    Echo.Responses responses = new Echo.Responses();
    Echo.bidi(channel, responses).onNext("next");
    get(grpc.accept().toCompletableFuture()).serve();
    assertThat(responses.next()).isEqualTo("next");
  }

  @Test
  void aGracefulShutdownLosesNothingOfABigAnswer() throws Exception {
    grpc.serve();
    ManagedChannel channel = GrpcStream.wrapClient(open());
    Echo.Responses responses = new Echo.Responses();
    var call = Echo.bidi(channel, responses);
    call.onNext("1");
    assertThat(responses.next()).isEqualTo("1");

    var ended = grpc.shutdown(Duration.ofSeconds(30)).toCompletableFuture();
    call.onNext(BIG);
    call.onCompleted();
    assertThat(responses.next()).isEqualTo(BIG);
    responses.awaitEnd();
    get(ended);
    assertThat(channel.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void aResetInACallNamesPeerAndProtocol() throws Exception {
    grpc.serve();
    Stream stream = open();
    ManagedChannel channel = GrpcStream.wrapClient(stream);
    Echo.Responses responses = new Echo.Responses();
    Echo.bidi(channel, responses).onNext("1");
    assertThat(responses.next()).isEqualTo("1");
    get(accepted).reset();

    Status failure = responses.failure();
    assertThat(failure.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(failure.getDescription())
        .contains(stream.remotePeer().toString(), Wire.PROTOCOL, "reset it");
    get(stream.closed().toCompletableFuture());
  }

  @Test
  @DisplayName("A slow reader stops its sender within the windows of HTTP/2")
  void slowReaderStopsItsSender() throws Exception {
    Flood flood = new Flood(1);
    grpc.registerService(flood.service());
    grpc.serve();
    ManagedChannel channel = GrpcStream.wrapClient(open());
    flood.serverStream(channel);
    flood.clientStream(channel);
    Hosts.eventually(
        "both senders stop",
        () ->
            flood.pumps().size() == 2
                && flood.pumps().stream().noneMatch(pump -> pump.isReady())
                && Echo.unary(channel, "still there?").equals("still there?"));
    assertThat(flood.pumps())
        .allMatch(pump -> (long) pump.sent() * Flood.MESSAGE_BYTES <= 9L << 20);
  }
}
