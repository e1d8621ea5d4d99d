package io.grpcstream;

import static io.grpcstream.Hosts.address;
import static io.grpcstream.Hosts.await;
import static io.grpcstream.Hosts.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.LogLines;
import io.grpcstream.libp2p.Refusal;
import io.grpcstream.netty.GrpcWindows;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a peer's calls may hold of messages that are not complete, or that no service has read. */
@Timeout(120)
class UnfinishedMessagesTest {
  private static final int CALLS = 100;
  private static final int MESSAGE = 3 << 20;

  /** What an honest caller on a busy machine needs less than. */
  private static final Duration STALL = Duration.ofSeconds(3);

  private final Hosts hosts = new Hosts();
  private final LogLines log = new LogLines();
  private GrpcStream grpc;
  private Host server;

  private static CallLimits limits(Duration stallTimeout, long memory) {
    return CallLimits.builder().stallTimeout(stallTimeout).memory(memory).build();
  }

  private void serve(CallLimits limits) {
    serve(limits, Echo.service(text -> text.length() + ""));
  }

  private void serve(CallLimits limits, ServerServiceDefinition service) {
    serve(GrpcStream.builder().addService(service).callLimits(limits));
  }

  /** So that calls ask for their messages in the order in which they are made. */
  private void serveDirectly(CallLimits limits) {
    ServerServiceDefinition service = Echo.service(text -> text.length() + "");
    serve(GrpcStream.builder().addService(service).callLimits(limits).directExecutor());
  }

  private void serve(GrpcStream.Builder builder) {
    grpc = builder.build().serve();
    server = hosts.start(Hosts.TCP);
    server.handle(Wire.PROTOCOL, grpc.handler());
  }

  @AfterEach
  void close() throws Exception {
    log.close();
    hosts.close();
    grpc.shutdown(Duration.ZERO).toCompletableFuture().get(10, TimeUnit.SECONDS);
  }

  private ManagedChannel channel(Host caller) {
    return await(GrpcStream.dial(caller, address(server), Wire.PROTOCOL));
  }

  private static byte[] begun(int length, int sent) {
    return ByteBuffer.allocate(5 + sent).put((byte) 0).putInt(length).array();
  }

  @Test
  @DisplayName(
      "One hundred calls on one stream hold no more than the bound, however much they begin")
  void hundredCallsStayWithinTheBound() throws Exception {
    serve(CallLimits.defaults());
    Host hostile = hosts.start(builder -> builder);
    RawHttp2 raw = new RawHttp2(hostile, server);
    raw.send(RawHttp2.preface());
    int[] sent = new int[2 * CALLS];
    for (int call = 1; call < sent.length; call += 2) {
      raw.send(RawHttp2.call(call), RawHttp2.data(call, begun(MESSAGE, 0)));
      sent[call] = 5;
    }
    // All that the windows allow, until there is nothing more to be had.
    boolean more = true;
    long all = 0;
    while (more) {
      raw.roundTrip();
      more = false;
      for (int call = 1; call < sent.length; call += 2) {
        int left = (int) Math.min(MESSAGE - 1 - sent[call], raw.window(call) - sent[call]);
        for (int part; left > 0; left -= part) {
          part = Math.min(left, 16_384);
          raw.send(RawHttp2.data(call, new byte[part]));
          sent[call] += part;
          all += part;
          more = true;
        }
      }
    }
    // 64 KiB of window for each call, and 16 MiB for all.
    assertThat(all).isBetween(16L << 20, CALLS * (64L << 10) + (16L << 20));
    assertThat(Echo.unary(channel(hostile), "another stream")).isEqualTo("14");
    assertThat(Echo.unary(channel(hosts.start(builder -> builder)), "another peer"))
        .isEqualTo("12");
    raw.stream.reset();
  }

  @Test
  void manyLongMessagesAtATimeAllArrive() {
    serve(CallLimits.defaults());
    ManagedChannel channel = channel(hosts.start(builder -> builder));
    String message = "x".repeat(MESSAGE);
    List<CompletableFuture<String>> answers = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      answers.add(unary(channel, message));
    }
    for (CompletableFuture<String> answer : answers) {
      assertThat(await(answer)).isEqualTo("" + MESSAGE);
    }
    assertThat(server.stats().refusals()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 5, 6, 1_000, 65_536, 1 << 20})
  void messagesArriveWhateverWindowTheUserSets(int window) {
    GrpcStream.Builder builder =
        GrpcStream.builder()
            .addService(Echo.service(text -> text.length() + ""))
            .configureServer(options -> GrpcWindows.fix(options, window));
    grpc = builder.build().serve();
    server = hosts.start(Hosts.TCP);
    server.handle(Wire.PROTOCOL, grpc.handler());
    ManagedChannel channel = channel(hosts.start(options -> options));
    List<CompletableFuture<String>> answers = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      answers.add(unary(channel, "x".repeat(30_000)));
    }
    for (CompletableFuture<String> answer : answers) {
      assertThat(await(answer)).isEqualTo("30000");
    }
  }

  private static CompletableFuture<String> unary(ManagedChannel channel, String request) {
    CompletableFuture<String> answer = new CompletableFuture<>();
    ClientCalls.asyncUnaryCall(
        channel.newCall(Echo.UNARY, CallOptions.DEFAULT),
        request,
        new StreamObserver<>() {
          @Override
          public void onNext(String response) {
            answer.complete(response);
          }

          @Override
          public void onError(Throwable failure) {
            answer.completeExceptionally(failure);
          }

          @Override
          public void onCompleted() {}
        });
    return answer;
  }

  @Test
  @DisplayName(
      "A peer that holds all it may loses the call that asks for more, and nobody else does")
  void fullPeerLosesTheCallThatAsksForMore() throws Exception {
    serve(limits(Duration.ofMinutes(5), 1 << 20));
    Host hostile = hosts.start(builder -> builder);
    RawHttp2 raw = new RawHttp2(hostile, server);
    raw.send(RawHttp2.preface());
    ManagedChannel honest = channel(hosts.start(builder -> builder));
    int call = 1;
    for (; server.stats().refusals(Refusal.CALL_MEMORY) == 0 && call < 100; call += 2) {
      raw.send(
          RawHttp2.call(call),
          RawHttp2.data(call, begun(60_000, 16_000)),
          RawHttp2.data(call, new byte[16_000]),
          RawHttp2.data(call, new byte[16_000]));
      raw.roundTrip();
    }
    assertThat(call)
        .isEqualTo(23); // Half of all is 524,288 bytes, and each call holds 48,005 in 3 frames.
    eventually("the call ends", () -> raw.sent().contains("limit for all 1,048,576"));
    assertThat(raw.sent()).contains("peer " + hostile.peerId());
    log.await("CALL_MEMORY", "limit for all 1,048,576", hostile.peerId());
    assertThat(Echo.unary(honest, "x".repeat(200_000))).isEqualTo("200000");
    assertThat(raw.stream.channel().isActive()).isTrue();
    raw.stream.reset();
  }

  @Test
  @DisplayName("Calls that are answered before their message has come keep nothing at the caller")
  void answeredBeforeTheMessageHasCome() throws Exception {
    grpc =
        GrpcStream.builder()
            .addService(Echo.service())
            .intercept(
                new ServerInterceptor() {
                  @Override
                  public <Q, R> ServerCall.Listener<Q> interceptCall(
                      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
                    call.close(Status.UNAUTHENTICATED, new Metadata());
                    return new ServerCall.Listener<>() {};
                  }
                })
            .build()
            .serve();
    server = hosts.start(Hosts.TCP);
    server.handle(Wire.PROTOCOL, grpc.handler());
    ManagedChannel channel = channel(hosts.start(options -> options));
    String message = "x".repeat(MESSAGE);
    for (int i = 0; i < 5; i++) {
      assertThat(
              catchThrowableOfType(StatusRuntimeException.class, () -> Echo.unary(channel, message))
                  .getStatus()
                  .getCode())
          .isEqualTo(Status.Code.UNAUTHENTICATED);
    }
    channel.shutdown(); // Which waits for calls that HTTP/2 has not ended.
    assertThat(channel.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void aFewBytesOfManyLongMessagesReserveNothing() throws Exception {
    serve(limits(Duration.ofMinutes(5), 32L << 20));
    List<RawHttp2> strangers = strangers(12, 1);
    String message = "x".repeat(MESSAGE);
    ManagedChannel honest = channel(hosts.start(builder -> builder));
    assertThat(await(unary(honest, message))).isEqualTo("" + MESSAGE);
    strangers.forEach(raw -> raw.stream.reset());
  }

  @Test
  @DisplayName("Messages that hold room and hardly go on end where others wait")
  void stalledMessagesEndWhereOthersWait() throws Exception {
    serve(limits(Duration.ofSeconds(2), 32L << 20));
    List<RawHttp2> strangers = strangers(12, 40_000);
    ManagedChannel honest = channel(hosts.start(builder -> builder));
    String answer =
        Echo.unaryWhile(
            honest,
            "x".repeat(MESSAGE),
            () -> strangers.forEach(raw -> raw.send(RawHttp2.data(1, new byte[1]))));
    assertThat(answer).isEqualTo("" + MESSAGE);
    strangers.forEach(raw -> raw.stream.reset());
  }

  @Test
  @DisplayName("A message that holds much room has to bring more of it where others wait")
  void muchRoomHasToBringMore() throws Exception {
    serve(
        GrpcStream.builder()
            .addService(Echo.service(text -> text.length() + ""))
            .configureServer(options -> options.maxInboundMessageSize(Integer.MAX_VALUE))
            .callLimits(limits(Duration.ofSeconds(2), 32L << 20)));
    RawHttp2 raw = new RawHttp2(hosts.start(builder -> builder), server);
    raw.send(RawHttp2.preface());
    begin(raw, 1, 1 << 30);
    raw.roundTrip();
    String answer =
        Echo.unaryWhile(
            channel(hosts.start(builder -> builder)),
            "x".repeat(MESSAGE),
            // At least 4 KiB/s, and less than 1 MiB/s.
            () -> raw.send(RawHttp2.data(1, new byte[1_000])));
    assertThat(answer).isEqualTo("" + MESSAGE);
    raw.stream.reset();
  }

  @Test
  @DisplayName(
      "A call that is cancelled while it waits for room makes way for the next of its stream")
  void callCancelledWhileItWaitsForRoom() throws Exception {
    serveDirectly(limits(Duration.ofMinutes(5), 32L << 20));
    List<RawHttp2> strangers = strangers(5, 40_000); // 15 MiB of the 16 that can be reserved.
    RawHttp2 waits = new RawHttp2(hosts.start(builder -> builder), server);
    waits.send(RawHttp2.preface());
    for (int call = 1; call <= 5; call += 2) {
      waits.send(RawHttp2.call(call));
      for (int left = 40_000; left > 0; left -= 16_000) {
        byte[] part = left == 40_000 ? begun(MESSAGE, 16_000) : new byte[Math.min(left, 16_000)];
        waits.send(RawHttp2.data(call, part));
      }
    }
    waits.roundTrip();
    ManagedChannel honest = channel(hosts.start(builder -> builder));
    CompletableFuture<String> answer = unary(honest, "x".repeat(MESSAGE));
    byte[] cancel = {0, 0, 0, 8};
    waits.send(RawHttp2.frame(4, 3, 0, 1), cancel);
    waits.roundTrip();
    assertThat(waits.window(3)).isEqualTo(65_535);
    strangers.get(0).stream.reset();
    eventually("the second call has room", () -> waits.window(3) > MESSAGE);
    assertThat(waits.window(5)).isEqualTo(65_535);
    // And the stream that ends while its third call waits is in nobody's way.
    waits.stream.reset();
    assertThat(await(answer)).isEqualTo("" + MESSAGE);
    strangers.forEach(raw -> raw.stream.reset());
  }

  @Test
  @DisplayName("Calls that wait for others of their stream are in nobody's way")
  void waitingForOnesOwnStreamHindersNobody() throws Exception {
    serveDirectly(limits(Duration.ofMinutes(5), 512L << 20));
    Host caller = hosts.start(builder -> builder);
    RawHttp2 raw = new RawHttp2(caller, server);
    raw.send(RawHttp2.preface());
    for (int call = 1; call < 16; call += 2) { // 24 MiB, where one stream may reserve 16.
      raw.send(RawHttp2.call(call));
      raw.send(RawHttp2.data(call, begun(MESSAGE, 16_000)), RawHttp2.data(call, new byte[16_000]));
      raw.send(RawHttp2.data(call, new byte[8_000]));
    }
    raw.roundTrip();
    assertThat(raw.window(9)).isGreaterThan(MESSAGE);
    assertThat(raw.window(11)).isEqualTo(65_535);
    assertThat(await(unary(channel(caller), "x".repeat(MESSAGE)))).isEqualTo("" + MESSAGE);
    raw.stream.reset();
  }

  @Test
  @DisplayName(
      "A call that is cancelled while it waits for others of its stream makes way for a shorter one")
  void cancelledCallMakesWayForAShorterOne() throws Exception {
    serveDirectly(limits(Duration.ofMinutes(5), 512L << 20));
    RawHttp2 raw = new RawHttp2(hosts.start(builder -> builder), server);
    raw.send(RawHttp2.preface());
    for (int call = 1; call <= 11; call += 2) { // The last one is past the stream's 16 MiB.
      begin(raw, call, MESSAGE);
    }
    begin(raw, 13, 200_000);
    raw.roundTrip();
    assertThat(raw.window(9)).isGreaterThan(MESSAGE);
    assertThat(raw.window(13)).isEqualTo(65_535);
    byte[] cancel = {0, 0, 0, 8};
    raw.send(RawHttp2.frame(4, 3, 0, 11), cancel);
    eventually("the shorter one has room", () -> raw.window(13) > 200_000);
    raw.stream.reset();
  }

  /** Sends so much of a message that it needs more than the window of its call. */
  private static void begin(RawHttp2 raw, int call, int length) throws Exception {
    raw.send(
        RawHttp2.call(call),
        RawHttp2.data(call, begun(length, 16_000)),
        RawHttp2.data(call, new byte[16_000]),
        RawHttp2.data(call, new byte[8_000]));
  }

  @Test
  @DisplayName("A message as long as any can be has all the window it needs")
  void longestMessageHasItsWindow() throws Exception {
    int length = Integer.MAX_VALUE - 8; // No array is longer.
    serve(
        GrpcStream.builder()
            .addService(Echo.service(text -> text.length() + ""))
            .configureServer(options -> options.maxInboundMessageSize(Integer.MAX_VALUE))
            .callLimits(limits(Duration.ofMinutes(5), 8L << 30)));
    RawHttp2 raw = new RawHttp2(hosts.start(builder -> builder), server);
    raw.send(RawHttp2.preface());
    begin(raw, 1, length);
    // With the prefix; the first byte of a call's window comes by SETTINGS, and is not counted.
    eventually("it has room", () -> raw.window(1) + 1 >= 5L + length);
    raw.stream.reset();
  }

  @Test
  @DisplayName("A long message arrives beside those of peers that never pause")
  void longMessageBesideBusyPeers() {
    serve(limits(Duration.ofMinutes(5), 32L << 20));
    String message = "x".repeat(MESSAGE);
    AtomicBoolean over = new AtomicBoolean();
    AtomicInteger answered = new AtomicInteger();
    for (int peer = 0; peer < 3; peer++) {
      ManagedChannel greedy = channel(hosts.start(builder -> builder));
      for (int call = 0; call < 8; call++) {
        sendOn(greedy, message, over, answered);
      }
    }
    eventually("the others are at it", () -> answered.get() > 10);
    ManagedChannel honest = channel(hosts.start(builder -> builder));
    for (int i = 0; i < 5; i++) {
      assertThat(await(unary(honest, message))).isEqualTo("" + MESSAGE);
    }
    over.set(true);
    assertThat(server.stats().refusals()).isEmpty();
  }

  private static void sendOn(
      ManagedChannel channel, String message, AtomicBoolean over, AtomicInteger answered) {
    unary(channel, message)
        .thenRun(
            () -> {
              answered.incrementAndGet();
              if (!over.get()) {
                sendOn(channel, message, over, answered);
              }
            });
  }

  /** So many peers that have each begun one long message. */
  private List<RawHttp2> strangers(int peers, int sent) throws Exception {
    List<RawHttp2> strangers = new ArrayList<>();
    for (int i = 0; i < peers; i++) {
      RawHttp2 raw = new RawHttp2(hosts.start(builder -> builder), server);
      raw.send(RawHttp2.preface(), RawHttp2.call(1));
      raw.send(RawHttp2.data(1, begun(MESSAGE, Math.min(sent, 16_000))));
      for (int left = sent - 16_000; left > 0; left -= 16_000) {
        raw.send(RawHttp2.data(1, new byte[Math.min(left, 16_000)]));
      }
      raw.roundTrip();
      strangers.add(raw);
    }
    return strangers;
  }

  /** A service that reads as it is told to. */
  private static final class Reader {
    final CompletableFuture<ServerCall<String, String>> call = new CompletableFuture<>();
    final AtomicInteger received = new AtomicInteger();

    ServerServiceDefinition service() {
      return ServerServiceDefinition.builder(Echo.NAME).addMethod(Echo.BIDI, this::start).build();
    }

    private ServerCall.Listener<String> start(ServerCall<String, String> started, Metadata none) {
      call.complete(started);
      return new ServerCall.Listener<>() {
        @Override
        public void onMessage(String message) {
          received.incrementAndGet();
        }
      };
    }
  }

  /** Sends so many frames with five bytes each. */
  private static void sendFrames(RawHttp2 raw, int frames) {
    byte[][] parts = new byte[frames][];
    Arrays.fill(parts, RawHttp2.data(1, begun(0, 0)));
    raw.send(parts);
  }

  /** What holds 1 MiB, half of which one peer may have: 2,048 frames, besides their bytes. */
  private static final CallLimits SMALL = limits(Duration.ofMinutes(5), 1 << 20);

  @Test
  @DisplayName("A reader that never catches up holds no more than what it has not read")
  void readerThatNeverCatchesUp() throws Exception {
    Reader reader = new Reader();
    serve(SMALL, reader.service());
    RawHttp2 raw = new RawHttp2(hosts.start(builder -> builder), server);
    raw.send(RawHttp2.preface(), RawHttp2.call(1));
    sendFrames(raw, 10);
    for (int read = 100; read <= 5_000; read += 100) {
      int expected = read;
      sendFrames(raw, 100);
      raw.roundTrip();
      await(reader.call).request(100);
      eventually("the messages are read", () -> reader.received.get() == expected);
    }
    assertThat(server.stats().refusals()).isEmpty();
    raw.stream.reset();
  }

  @Test
  @DisplayName("Messages of which the next has always begun hold no more than its frames")
  void nextMessageHasAlwaysBegun() throws Exception {
    Reader reader = new Reader();
    serve(SMALL, reader.service());
    RawHttp2 raw = new RawHttp2(hosts.start(builder -> builder), server);
    raw.send(RawHttp2.preface(), RawHttp2.call(1));
    await(reader.call).request(10_000);
    raw.send(RawHttp2.data(1, new byte[8])); // A message, and three bytes of the next.
    sendFrames(raw, 5_000);
    eventually("all are read", () -> reader.received.get() == 5_001);
    assertThat(server.stats().refusals()).isEmpty();
    raw.stream.reset();
  }

  @Test
  @DisplayName("Padding gives nobody room for messages that are not read")
  void paddingGivesNobodyRoom() throws Exception {
    Reader reader = new Reader();
    serve(SMALL, reader.service());
    RawHttp2 raw = new RawHttp2(hosts.start(builder -> builder), server);
    raw.send(RawHttp2.preface(), RawHttp2.call(1));
    byte[] padded = new byte[256];
    padded[0] = (byte) 250;
    byte[][] frames = new byte[100][];
    Arrays.fill(frames, RawHttp2.join(RawHttp2.frame(padded.length, 0, 8, 1), padded));
    int sent = 0;
    for (; server.stats().refusals().isEmpty() && sent < 10_000; sent += frames.length) {
      raw.send(frames);
      raw.roundTrip();
    }
    assertThat(server.stats().refusals(Refusal.CALL_MEMORY)).isEqualTo(1);
    assertThat(sent).isLessThanOrEqualTo(2_100);
    raw.stream.reset();
  }

  @Test
  @DisplayName(
      "Half a message that does not go on ends its call, and a pause between messages does not")
  void halfAMessageEndsItsCall() throws Exception {
    serve(limits(STALL, 32 << 20));
    Host slow = hosts.start(builder -> builder);
    RawHttp2 raw = new RawHttp2(slow, server);
    raw.send(RawHttp2.preface());
    raw.send(RawHttp2.call(1), RawHttp2.data(1, begun(0, 0)));
    raw.send(RawHttp2.call(3), RawHttp2.data(3, begun(1_000, 500)));
    eventually(
        "the half message is given up",
        () -> raw.sent().contains("505 bytes came, 500 are missing"));
    log.await("STALLED", "505 bytes came", slow.peerId());
    raw.send(RawHttp2.data(1, begun(1, 1)));
    eventually("the other call goes on", () -> raw.sent().endsWith("1"));
    assertThat(server.stats().refusals(Refusal.STALLED)).isEqualTo(1);
    raw.stream.reset();
  }

  @Test
  void aStreamWithoutAPrefaceIsReset() {
    serve(limits(Duration.ofMillis(300), 32 << 20));
    Host silent = hosts.start(builder -> builder);
    Hosts.openUntilReset(silent, server, Wire.PROTOCOL);
    log.await("STALLED", "the preface of HTTP/2", silent.peerId());
  }

  @Test
  @DisplayName("A stream that is denied and brings no preface is reset too")
  void deniedStreamWithoutAPreface() {
    serve(CallLimits.defaults());
    CallLimits limits = CallLimits.builder().stallTimeout(Duration.ofMillis(300)).build();
    GrpcStream denying =
        GrpcStream.builder()
            .authorizer((peer, protocol) -> false)
            .callLimits(limits)
            .build()
            .serve();
    server.handle("/denied/1", denying.handler());
    Host silent = hosts.start(options -> options);
    Hosts.openUntilReset(silent, server, "/denied/1");
    log.await("STALLED", "the preface of HTTP/2", silent.peerId());
    await(denying.shutdown(Duration.ZERO));
    assertThat(server.stats().refusals(Refusal.NOT_AUTHORIZED)).isEqualTo(1);
  }

  @Test
  @DisplayName("A header block that does not end resets its stream, and an idle stream stays")
  void headerBlockThatDoesNotEnd() throws Exception {
    serve(limits(STALL, 32 << 20));
    Host caller = hosts.start(builder -> builder);
    ManagedChannel idle = channel(caller);
    Echo.unary(idle, "now idle");
    RawHttp2 raw = new RawHttp2(caller, server);
    byte[] headers = RawHttp2.headers(RawHttp2.request());
    raw.send(RawHttp2.preface());
    raw.roundTrip();
    raw.send(RawHttp2.frame(headers.length, 1, 0, 1), headers); // Without END_HEADERS.
    raw.ends();
    log.await("STALLED", "the rest of a header block", caller.peerId());
    assertThat(Echo.unary(idle, "still there")).isEqualTo("11");
    assertThat(server.stats().refusals(Refusal.STALLED)).isEqualTo(1);
  }
}
