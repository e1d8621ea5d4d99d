package io.grpcstream;

import static io.grpcstream.Hosts.address;
import static io.grpcstream.Hosts.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Stream;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2Headers;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What peers can put into the log of an operator who has set no levels: nothing by leaving, and one
 * line a second, with their name and without a stack, by breaking rules.
 */
@Timeout(120)
class QuietLogTest {
  private static final int PEERS = 200;
  private static final int CALLERS = 100;
  private static final int AT_ONCE = 10;

  private final Hosts hosts = new Hosts();
  private final GrpcStream grpc =
      GrpcStream.builder().addService(Echo.service()).addService(chatter()).build().serve();
  private Host server;
  private Host client;
  private Logged log;
  private long start;

  @BeforeEach
  void open() {
    server = hosts.start(Hosts.TCP);
    server.handle(Wire.PROTOCOL, grpc.handler());
    client = hosts.start(builder -> builder);
    await(client.connect(address(server)));
    log = new Logged();
    start = System.nanoTime();
  }

  @AfterEach
  void close() throws Exception {
    log.close();
    hosts.close();
    grpc.shutdown(Duration.ZERO).toCompletableFuture().get(10, TimeUnit.SECONDS);
  }

  /** Sends without an end, more than any window, whether or not the caller reads. */
  private static ServerServiceDefinition chatter() {
    String message = "x".repeat(60_000);
    return ServerServiceDefinition.builder("test.Chatter")
        .addMethod(
            Echo.SERVER_STREAM.toBuilder().setFullMethodName("test.Chatter/Chat").build(),
            ServerCalls.asyncServerStreamingCall(
                (String request, StreamObserver<String> responses) -> {
                  for (int i = 0; i < 20; i++) {
                    responses.onNext(message);
                  }
                }))
        .build();
  }

  // --- peers that leave --------------------------------------------------------------------------

  @Test
  @DisplayName("Callers that cancel with responses on their way are no news")
  void cancellationIsNoNews() throws Exception {
    ManagedChannel channel =
        GrpcStream.wrapClient(await(client.newStream(address(server), Wire.PROTOCOL)));
    for (int i = 0; i < CALLERS; i += AT_ONCE) {
      List<CompletableFuture<Void>> ends = new ArrayList<>();
      for (int j = 0; j < AT_ONCE; j++) {
        HungUp call = new HungUp(channel);
        call.hasMessage.get(20, TimeUnit.SECONDS);
        call.call.cancel("enough", null);
        ends.add(call.ended);
      }
      for (CompletableFuture<Void> end : ends) {
        end.get(20, TimeUnit.SECONDS);
      }
    }
    assertThat(Echo.unary(channel, "still here")).isEqualTo("still here");
    assertThat(log.allLines()).isEmpty();
  }

  @Test
  @DisplayName("Peers that hang up with responses on their way are no news")
  void hangingUpIsNoNews() throws Exception {
    for (int i = 0; i < CALLERS; i += AT_ONCE) {
      List<Stream> streams = new ArrayList<>();
      List<HungUp> calls = new ArrayList<>();
      for (int j = 0; j < AT_ONCE; j++) {
        Stream stream = await(client.newStream(address(server), Wire.PROTOCOL));
        streams.add(stream);
        calls.add(new HungUp(GrpcStream.wrapClient(stream)));
      }
      for (HungUp call : calls) {
        call.hasMessage.get(20, TimeUnit.SECONDS);
      }
      for (int j = 0; j < AT_ONCE; j++) {
        if (j % 2 == 0) {
          streams.get(j).reset();
        } else {
          streams.get(j).close();
        }
      }
      for (HungUp call : calls) {
        call.call.request(Integer.MAX_VALUE); // The end comes behind the messages that have.
        call.ended.get(20, TimeUnit.SECONDS);
      }
    }
    allStreamsEnd();
    assertThat(log.allLines()).isEmpty();
  }

  @Test
  @DisplayName("Connections that are lost with responses on their way are no news")
  void lostConnectionsAreNoNews() throws Exception {
    for (int i = 0; i < 10; i++) {
      Host leaving = hosts.start(builder -> builder);
      List<HungUp> calls = new ArrayList<>();
      for (int j = 0; j < 5; j++) {
        Stream stream = await(leaving.newStream(address(server), Wire.PROTOCOL));
        calls.add(new HungUp(GrpcStream.wrapClient(stream)));
      }
      for (HungUp call : calls) {
        call.hasMessage.get(20, TimeUnit.SECONDS);
      }
      await(leaving.shutdown(Duration.ZERO));
      for (HungUp call : calls) {
        call.ended.get(20, TimeUnit.SECONDS);
      }
    }
    allStreamsEnd();
    assertThat(log.allLines()).isEmpty();
  }

  /** A call whose first response has come, with more behind it than its window lets through. */
  private static final class HungUp extends ClientCall.Listener<String> {
    final CompletableFuture<Void> hasMessage = new CompletableFuture<>();
    final CompletableFuture<Void> ended = new CompletableFuture<>();
    final ClientCall<String, String> call;

    HungUp(ManagedChannel channel) {
      call =
          channel.newCall(
              Echo.SERVER_STREAM.toBuilder().setFullMethodName("test.Chatter/Chat").build(),
              CallOptions.DEFAULT);
      call.start(this, new Metadata());
      call.request(1);
      call.sendMessage("go");
      call.halfClose();
    }

    @Override
    public void onMessage(String message) {
      hasMessage.complete(null);
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      hasMessage.completeExceptionally(status.asException());
      ended.complete(null);
    }
  }

  // --- peers that break rules --------------------------------------------------------------------

  @Test
  @DisplayName("Streams that break HTTP/2 cost few lines, with the peer's name")
  void brokenHttp2CostsFewLines() throws Exception {
    List<byte[]> attacks =
        List.of(
            "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n".getBytes(StandardCharsets.US_ASCII),
            join(preface(), new byte[100_000]),
            join(preface(), frame(0xFF_FFFF, 0, 0, 1)),
            join(preface(), headers(1, request().add("x-large", "x".repeat(14_000)))));
    for (int i = 0; i < PEERS; i++) {
      int next = i % attacks.size();
      Raw raw = new Raw(client, server);
      raw.send(attacks.get(next));
      raw.ends(() -> "attack " + next + " to end the stream, have " + log.allLines());
    }
    Raw rapid = new Raw(client, server);
    rapid.send(rapidReset());
    rapid.ends(() -> "the rapid reset to end the stream, have " + log.allLines());
    allStreamsEnd();
    log.await("WARN", "stream " + Wire.PROTOCOL + " from peer " + client.peerId(), "HTTP/2");
    onlyOurs();
  }

  @Test
  @DisplayName("Requests that are no gRPC cost few lines, with the peer's name")
  void requestsThatAreNoGrpcCostFewLines() throws Exception {
    List<Http2Headers> requests =
        List.of(
            request().path(""),
            request().add("grpc-timeout", "soon"),
            request().add("grpc-timeout", "123456789S"),
            request().add("grpc-timeout", "S"));
    Raw raw = new Raw(client, server);
    raw.send(preface());
    for (int i = 0; i < PEERS; i++) {
      raw.send(headers(2 * i + 1, requests.get(i % requests.size())));
    }
    raw.resets(PEERS);
    log.await("WARN", client.peerId(), "call reset");
    onlyOurs();
    raw.stream.reset();
  }

  @Test
  @DisplayName("A call without the header for proxies is served without a word")
  void callWithoutTheHeaderForProxies() throws Exception {
    for (int i = 0; i < PEERS; i++) {
      Raw raw = new Raw(client, server);
      Http2Headers request = request();
      request.remove("te");
      raw.send(join(preface(), headers(1, request), frame(4, 3, 0, 1), new byte[] {0, 0, 0, 8}));
      raw.send(frame(0, 0, 0, 0)); // DATA on stream 0 is a connection error, and ends the stream.
      raw.ends(() -> "the stream to end");
    }
    assertThat(log.count("TE:")).isZero();
    onlyOurs();
  }

  @Test
  void serversThatBreakHttp2AreNoNewsToTheirClients() throws Exception {
    List<byte[]> attacks =
        List.of(
            "HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(StandardCharsets.US_ASCII),
            join(frame(0, 4, 0, 0), new byte[100_000]),
            join(frame(0, 4, 0, 0), frame(0xFF_FFFF, 0, 0, 1)),
            join(frame(0, 4, 0, 0), headers(1, new DefaultHttp2Headers().status("200"))),
            join(frame(0, 4, 0, 0), frame(4, 8, 0, 1), new byte[4]));
    AtomicInteger next = new AtomicInteger();
    server.handle(
        "/hostile/1.0.0",
        stream -> {
          byte[] attack = attacks.get(next.getAndIncrement() % attacks.size());
          stream.channel().writeAndFlush(Unpooled.wrappedBuffer(attack));
          stream.close();
        });
    for (int i = 0; i < PEERS; i++) {
      Stream stream = await(client.newStream(address(server), "/hostile/1.0.0"));
      ManagedChannel channel = GrpcStream.wrapClient(stream);
      assertThat(Echo.failure(channel).isOk()).isFalse();
      channel.shutdownNow();
      await(stream.closed());
    }
    assertThat(log.allLines()).isEmpty();
  }

  /** All in the log are single lines of ours, as few as the host logs of two kinds of refusals. */
  private void onlyOurs() {
    long windows = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start) / 10 + 1;
    assertThat(log.stackLines()).isEmpty();
    assertThat(log.grpcLines()).isEmpty();
    assertThat(log.lines())
        .allMatch(line -> line.contains("WARN") && line.contains(client.peerId().toString()))
        .hasSizeLessThanOrEqualTo(2 * 5 * (int) windows);
  }

  private void allStreamsEnd() {
    Hosts.eventually(
        () -> "no stream is left, have " + server.stats(),
        () -> server.stats().inboundStreams() == 0);
  }

  private static byte[] rapidReset() throws Exception {
    ByteArrayOutputStream flood = new ByteArrayOutputStream();
    for (int i = 0; i < 5_000; i++) {
      flood.writeBytes(headers(2 * i + 1, request()));
      flood.writeBytes(frame(4, 3, 0, 2 * i + 1));
      flood.writeBytes(new byte[] {0, 0, 0, 8});
    }
    return flood.toByteArray();
  }

  private static byte[] join(byte[]... parts) {
    return ByteBufUtil.getBytes(Unpooled.wrappedBuffer(parts));
  }

  private static byte[] preface() {
    return join(ByteBufUtil.getBytes(Http2CodecUtil.connectionPrefaceBuf()), frame(0, 4, 0, 0));
  }

  /** The head of a frame (RFC 9113, section 4.1). */
  private static byte[] frame(int length, int type, int flags, int streamId) {
    ByteBuf frame = Unpooled.buffer(9);
    return ByteBufUtil.getBytes(
        frame.writeMedium(length).writeByte(type).writeByte(flags).writeInt(streamId));
  }

  private static Http2Headers request() {
    return new DefaultHttp2Headers(false)
        .method("POST")
        .scheme("http")
        .path("/" + Echo.NAME + "/Bidi")
        .authority("peer")
        .add("content-type", "application/grpc")
        .add("te", "trailers");
  }

  /** A HEADERS frame that opens a call. */
  private static byte[] headers(int streamId, Http2Headers headers) throws Exception {
    ByteBuf block = Unpooled.buffer();
    new DefaultHttp2HeadersEncoder((name, value) -> true, false, 0)
        .encodeHeaders(streamId, headers, block);
    byte[] bytes = ByteBufUtil.getBytes(block);
    return join(frame(bytes.length, 1, 4, streamId), bytes);
  }

  /** A stream on which a peer sends bytes of its own. */
  private static final class Raw {
    final Stream stream;
    private final AtomicInteger resets = new AtomicInteger();

    Raw(Host peer, Host server) {
      stream = await(peer.newStream(address(server), Wire.PROTOCOL));
      stream.channel().pipeline().addLast(new ResetCounter(resets));
      stream.channel().config().setAutoRead(true);
    }

    void send(byte[] bytes) {
      stream.channel().writeAndFlush(Unpooled.wrappedBuffer(bytes));
    }

    void ends(Supplier<String> what) {
      Hosts.eventually(what, () -> !stream.channel().isOpen());
    }

    void resets(int count) {
      Hosts.eventually(() -> count + " resets, have " + resets, () -> resets.get() >= count);
    }
  }

  /** Counts RST_STREAM frames by their heads, in whatever pieces they come. */
  private static final class ResetCounter extends SimpleChannelInboundHandler<ByteBuf> {
    private final AtomicInteger resets;
    private final ByteBuf pending = Unpooled.buffer();

    ResetCounter(AtomicInteger resets) {
      this.resets = resets;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, ByteBuf message) {
      pending.writeBytes(message);
      while (pending.readableBytes() >= 9) {
        int length = pending.getUnsignedMedium(pending.readerIndex());
        if (pending.readableBytes() < 9 + length) {
          return;
        }
        if (pending.getByte(pending.readerIndex() + 3) == 3) {
          resets.incrementAndGet();
        }
        pending.skipBytes(9 + length);
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      ctx.close();
    }
  }
}
