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
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
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
    Raw raw = new Raw();
    raw.send("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
    raw.ends();
    assertThat(raw.sent()).contains("Unexpected HTTP/1.x request: GET /");
    nothingElseEnds();
  }

  @Test
  void oneHundredThousandBytesOfNoiseEndThatStream() throws Exception {
    Raw raw = new Raw();
    raw.send(Raw.preface());
    byte[] noise = new byte[100_000];
    new java.util.Random(7).nextBytes(noise);
    raw.send(noise);
    raw.ends();
    nothingElseEnds();
  }

  @Test
  void aFrameLongerThanAllowedEndsThatStream() throws Exception {
    Raw raw = new Raw();
    raw.send(Raw.preface());
    raw.send(Raw.frame(0xFF_FFFF, 0, 0, 1));
    raw.ends();
    assertThat(raw.sent()).contains("Frame length: 16777215 exceeds maximum: 16384");
    nothingElseEnds();
  }

  @Test
  void callsOpenedAndResetWithoutEndEndThatStream() throws Exception {
    Raw raw = new Raw();
    raw.send(Raw.preface());
    ByteArrayOutputStream flood = new ByteArrayOutputStream();
    for (int i = 0; i < 5_000; i++) {
      byte[] headers = Raw.headers(Raw.request());
      flood.writeBytes(Raw.frame(headers.length, 1, 4, 2 * i + 1));
      flood.writeBytes(headers);
      flood.writeBytes(Raw.frame(4, 3, 0, 2 * i + 1));
      flood.writeBytes(new byte[] {0, 0, 0, 8});
    }
    raw.send(flood.toByteArray());
    raw.ends();
    assertThat(raw.sent()).contains("too_many_rst");
    nothingElseEnds();
  }

  @Test
  void headersPastTheLimitEndThatStream() throws Exception {
    Raw raw = new Raw();
    raw.send(Raw.preface());
    byte[] headers = Raw.headers(Raw.request().add("x-large", "x".repeat(12_000)));
    raw.send(Raw.frame(headers.length, 1, 5, 1), headers);
    raw.ends();
    assertThat(raw.sent()).contains("Header size exceeded max allowed size");
    nothingElseEnds();
  }

  @Test
  void headersThatNeverEndEndThatStream() throws Exception {
    Raw raw = new Raw();
    raw.send(Raw.preface());
    byte[] headers = Raw.headers(Raw.request().add("x-large", "x".repeat(16_000)));
    raw.send(Raw.frame(headers.length, 1, 0, 1), headers);
    for (int i = 0; i < 20; i++) {
      raw.send(Raw.frame(10_000, 9, 0, 1), new byte[10_000]);
    }
    raw.ends();
    nothingElseEnds();
  }

  @Test
  void aStreamLeftSilentHoldsItsPlaceAndNoMore() throws Exception {
    Raw[] silent = new Raw[LIMIT - 1];
    for (int i = 0; i < silent.length; i++) {
      silent[i] = new Raw();
    }
    // The reset may overtake the agreement, or follow it.
    await(
        hostile
            .newStream(address(server), Wire.PROTOCOL)
            .handle(
                (stream, failure) -> {
                  if (stream == null) {
                    return CompletableFuture.<Void>completedFuture(null);
                  }
                  stream.channel().read();
                  return stream.closed();
                })
            .thenCompose(end -> end));
    log.await(
        "STREAMS_PER_PROTOCOL",
        "limit of " + LIMIT + " inbound streams of one protocol and peer reached",
        Wire.PROTOCOL,
        hostile.peerId());
    assertThat(server.stats().refusals(Refusal.STREAMS_PER_PROTOCOL)).isEqualTo(1);
    sameConnection.goesOn();
    otherPeer.goesOn();
    for (Raw raw : silent) {
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

  /** A stream of the hostile peer, and what came back on it. */
  private final class Raw {
    final Stream stream = await(hostile.newStream(address(server), Wire.PROTOCOL));
    private final StringBuilder sent = new StringBuilder();

    Raw() {
      stream
          .channel()
          .pipeline()
          .addLast(
              new SimpleChannelInboundHandler<ByteBuf>() {
                @Override
                protected void channelRead0(ChannelHandlerContext ctx, ByteBuf message) {
                  synchronized (sent) {
                    sent.append(message.toString(StandardCharsets.ISO_8859_1));
                  }
                }

                @Override
                public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                  ctx.close();
                }
              });
      stream.channel().read();
    }

    void send(byte[]... parts) {
      stream.channel().writeAndFlush(Unpooled.wrappedBuffer(parts));
    }

    String sent() {
      synchronized (sent) {
        return sent.toString();
      }
    }

    /** Waits until the other side has ended the stream. */
    void ends() {
      await(stream.closed());
    }

    static byte[] preface() {
      byte[] preface = ByteBufUtil.getBytes(Http2CodecUtil.connectionPrefaceBuf());
      byte[] settings = frame(0, 4, 0, 0);
      return ByteBufUtil.getBytes(Unpooled.wrappedBuffer(preface, settings));
    }

    /** The head of a frame (RFC 9113, section 4.1). */
    static byte[] frame(int length, int type, int flags, int streamId) {
      ByteBuf frame = Unpooled.buffer(9);
      return ByteBufUtil.getBytes(
          frame.writeMedium(length).writeByte(type).writeByte(flags).writeInt(streamId));
    }

    static Http2Headers request() {
      return new DefaultHttp2Headers()
          .method("POST")
          .scheme("http")
          .path("/" + Echo.NAME + "/Bidi")
          .authority("peer")
          .add("content-type", "application/grpc")
          .add("te", "trailers");
    }

    static byte[] headers(Http2Headers headers) throws Http2Exception {
      ByteBuf out = Unpooled.buffer();
      new DefaultHttp2HeadersEncoder((name, value) -> true, false, 0)
          .encodeHeaders(1, headers, out);
      return ByteBufUtil.getBytes(out);
    }
  }
}
