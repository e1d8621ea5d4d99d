package io.grpcstream;

import static io.grpcstream.Hosts.address;
import static io.grpcstream.Hosts.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import io.grpc.stub.StreamObserver;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Limits;
import io.grpcstream.libp2p.LogLines;
import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.Stream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Peers that misuse HTTP/2 on a stream that is served, over TCP: it costs them that stream, while a
 * call on another stream of the same connection, and one of another peer, go on.
 */
@Timeout(60)
class HostileHttp2Test {
  private static final int LIMIT = 4;

  private final Hosts hosts = new Hosts();
  private final LogLines log = new LogLines();
  private final GrpcStream grpc = GrpcStream.builder().addService(Echo.service()).build().serve();
  private Host server;
  private Host hostile;
  private Call sameConnection;
  private Call otherPeer;

  @BeforeEach
  void open() throws Exception {
    Limits limits = Limits.builder().inboundStreamsPerProtocol(LIMIT).build();
    server = hosts.start(builder -> builder.listen(Hosts.TCP).limits(limits));
    server.handle(Wire.PROTOCOL, grpc.handler());
    hostile = hosts.start(builder -> builder);
    sameConnection = new Call(hostile);
    otherPeer = new Call(hosts.start(builder -> builder));
    sameConnection.goesOn();
    otherPeer.goesOn();
  }

  @AfterEach
  void close() throws Exception {
    log.close();
    hosts.close();
    grpc.shutdown(java.time.Duration.ZERO).toCompletableFuture().get(10, TimeUnit.SECONDS);
  }

  /** A call that goes on. */
  private final class Call {
    private final Echo.Responses responses = new Echo.Responses();
    private final ManagedChannel channel;
    private final StreamObserver<String> requests;

    Call(Host peer) {
      Stream stream = await(peer.newStream(address(server), Wire.PROTOCOL));
      channel = GrpcStream.wrapClient(stream);
      requests = Echo.bidi(channel, responses);
    }

    void goesOn() throws InterruptedException {
      requests.onNext("on");
      assertThat(responses.next()).isEqualTo("on");
    }
  }

  @Test
  void garbageInsteadOfThePrefaceEndsThatStream() throws Exception {
    RawHttp2 raw = new RawHttp2(hostile, server);
    raw.send("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
    raw.ends();
    assertThat(raw.sent()).contains("Unexpected HTTP/1.x request: GET /");
    nothingElseEnds();
  }

  @Test
  void oneHundredThousandBytesOfNoiseEndThatStream() throws Exception {
    RawHttp2 raw = new RawHttp2(hostile, server);
    raw.send(RawHttp2.preface());
    byte[] noise = new byte[100_000];
    new java.util.Random(7).nextBytes(noise);
    raw.send(noise);
    raw.ends();
    nothingElseEnds();
  }

  @Test
  void aFrameLongerThanAllowedEndsThatStream() throws Exception {
    RawHttp2 raw = new RawHttp2(hostile, server);
    raw.send(RawHttp2.preface());
    raw.send(RawHttp2.frame(0xFF_FFFF, 0, 0, 1));
    raw.ends();
    assertThat(raw.sent()).contains("Frame length: 16777215 exceeds maximum: 16384");
    nothingElseEnds();
  }

  @Test
  void callsOpenedAndResetWithoutEndEndThatStream() throws Exception {
    RawHttp2 raw = new RawHttp2(hostile, server);
    raw.send(RawHttp2.preface());
    ByteArrayOutputStream flood = new ByteArrayOutputStream();
    for (int i = 0; i < 5_000; i++) {
      flood.writeBytes(RawHttp2.callAndReset(2 * i + 1));
    }
    raw.send(flood.toByteArray());
    raw.ends();
    assertThat(raw.sent())
        .contains("too many calls reset before an answer", hostile.peerId().toString());
    nothingElseEnds();
  }

  @Test
  void headersPastTheLimitEndThatStream() throws Exception {
    RawHttp2 raw = new RawHttp2(hostile, server);
    raw.send(RawHttp2.preface());
    byte[] headers = RawHttp2.headers(RawHttp2.request().add("x-large", "x".repeat(12_000)));
    raw.send(RawHttp2.frame(headers.length, 1, 5, 1), headers);
    raw.ends();
    assertThat(raw.sent()).contains("Header size exceeded max allowed size");
    nothingElseEnds();
  }

  @Test
  void headersThatNeverEndEndThatStream() throws Exception {
    RawHttp2 raw = new RawHttp2(hostile, server);
    raw.send(RawHttp2.preface());
    byte[] headers = RawHttp2.headers(RawHttp2.request().add("x-large", "x".repeat(16_000)));
    raw.send(RawHttp2.frame(headers.length, 1, 0, 1), headers);
    for (int i = 0; i < 20; i++) {
      raw.send(RawHttp2.frame(10_000, 9, 0, 1), new byte[10_000]);
    }
    raw.ends();
    nothingElseEnds();
  }

  @Test
  void aStreamLeftSilentHoldsItsPlaceAndNoMore() throws Exception {
    RawHttp2[] silent = new RawHttp2[LIMIT - 1];
    for (int i = 0; i < silent.length; i++) {
      silent[i] = new RawHttp2(hostile, server);
    }
    Hosts.openUntilReset(hostile, server, Wire.PROTOCOL);
    log.await(
        "STREAMS_PER_PROTOCOL",
        "limit of " + LIMIT + " inbound streams of one protocol and peer reached",
        Wire.PROTOCOL,
        hostile.peerId());
    assertThat(server.stats().refusals(Refusal.STREAMS_PER_PROTOCOL)).isEqualTo(1);
    sameConnection.goesOn();
    otherPeer.goesOn();
    for (RawHttp2 raw : silent) {
      raw.stream.reset();
    }
    nothingElseEnds();
  }

  private void nothingElseEnds() throws Exception {
    sameConnection.goesOn();
    otherPeer.goesOn();
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (server.stats().inboundStreams() > 2) {
      assertThat(System.nanoTime()).as("has " + server.stats()).isLessThan(deadline);
      Thread.onSpinWait();
    }
    assertThat(server.connections()).hasSize(2);
  }
}
