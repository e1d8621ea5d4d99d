package io.grpcstream;

import static io.grpcstream.Hosts.address;
import static io.grpcstream.Hosts.await;
import static io.grpcstream.Hosts.eventually;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.stub.ClientCalls;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.LogLines;
import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.Stream;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Exception;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class CallLimitsTest {
  private static final int MESSAGE = 3 << 20;

  private final Hosts hosts = new Hosts();
  private final LogLines log = new LogLines();
  private final List<GrpcStream> open = new ArrayList<>();

  @AfterEach
  void close() throws Exception {
    log.close();
    hosts.close();
    for (GrpcStream grpc : open) {
      grpc.shutdown(Duration.ZERO).toCompletableFuture().get(10, TimeUnit.SECONDS);
    }
  }

  private GrpcStream opened(GrpcStream.Builder builder) {
    GrpcStream grpc = builder.build().serve();
    open.add(grpc);
    return grpc;
  }

  private Host serving(GrpcStream.Builder builder) {
    Host server = hosts.start(Hosts.TCP);
    server.handle(Wire.PROTOCOL, opened(builder).handler());
    return server;
  }

  // --- values ------------------------------------------------------------------------------------

  @Test
  @DisplayName("Memory grows with the heap, and is never less than a few long messages need")
  void memoryGrowsWithTheHeap() {
    assertThat(CallLimits.defaults().memory())
        .isEqualTo(Math.max(32 << 20, Runtime.getRuntime().maxMemory() / 2));
    assertThat(CallLimits.builder(16L << 20).build().memory()).isEqualTo(32 << 20);
  }

  @Test
  @DisplayName("A builder made of limits keeps them, and leaves them alone")
  void builderMadeOfLimits() {
    CallLimits limits =
        CallLimits.builder().resets(7).stallTimeout(Duration.ofDays(1)).memory(5 << 20).build();
    CallLimits changed = limits.toBuilder().resets(8).build();

    assertThat(changed)
        .hasToString("CallLimits[resets=8, stallTimeout=86400 s, memory=5242880]")
        .returns(8, CallLimits::resets)
        .returns(Duration.ofDays(1), CallLimits::stallTimeout)
        .returns(5L << 20, CallLimits::memory);
    assertThat(limits.resets()).isEqualTo(7);
  }

  @Test
  void aLimitOutOfRangeIsNamedWithItsValue() {
    CallLimits.Builder builder = CallLimits.builder();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.resets(0))
        .withMessage("resets must be positive, is 0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.stallTimeout(Duration.ofSeconds(-1)))
        .withMessage("stallTimeout must be positive, is -1 s");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.stallTimeout(Duration.ofSeconds(Long.MAX_VALUE)))
        .withMessageStartingWith("stallTimeout must be at most 365 days, is ");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.memory((1 << 20) - 1))
        .withMessage("memory must be at least 1,048,576 bytes, is 1,048,575");
    assertThat(builder.build()).hasToString(CallLimits.defaults().toString());
  }

  @Test
  @DisplayName("The table in the documentation has all limits with their values")
  void tableInTheDocumentation() throws Exception {
    CallLimits small = CallLimits.builder(256L << 20).build();
    CallLimits large = CallLimits.builder(1_024L << 20).build();
    Pattern row =
        Pattern.compile(
            "<tr><td>\\{@link #(\\w+)\\(\\)}</td><td>([^<]+)</td><td>([^<]+)</td></tr>");
    Matcher rows =
        row.matcher(Files.readString(Path.of("src/main/java/io/grpcstream/CallLimits.java")));
    List<String> documented = new ArrayList<>();
    while (rows.find()) {
      Method limit = CallLimits.class.getMethod(rows.group(1));
      documented.add(limit.getName());
      assertThat(shown(limit.invoke(small))).as(limit.getName()).isEqualTo(rows.group(2));
      boolean grows = !limit.invoke(small).equals(limit.invoke(large));
      assertThat(rows.group(3)).as(limit.getName()).isEqualTo(grows ? "half of it" : "no");
    }
    assertThat(documented)
        .containsExactlyInAnyOrderElementsOf(
            Arrays.stream(CallLimits.class.getDeclaredMethods())
                .filter(method -> Modifier.isPublic(method.getModifiers()))
                .map(Method::getName)
                .filter(
                    name -> !List.of("defaults", "builder", "toBuilder", "toString").contains(name))
                .toList());
  }

  private static String shown(Object value) {
    return value instanceof Duration duration
        ? duration.toSeconds() + " s"
        : "%,d".formatted(((Number) value).longValue());
  }

  // --- what they do ------------------------------------------------------------------------------

  @Test
  @DisplayName("A peer that resets more calls than the user allows loses its stream")
  void resetsPastTheUsersLimit() throws Exception {
    Host server =
        serving(
            GrpcStream.builder()
                .addService(Echo.service())
                .callLimits(CallLimits.builder().resets(3).build()));
    Host hostile = hosts.start(builder -> builder);
    RawHttp2 raw = new RawHttp2(hostile, server);
    raw.send(RawHttp2.preface());
    for (int call = 1; call <= 7; call += 2) {
      raw.send(RawHttp2.call(call), RawHttp2.frame(4, 3, 0, call), new byte[] {0, 0, 0, 8});
    }
    raw.ends();
    log.await("CALL_RESETS", "limit 3 in 10 s", hostile.peerId());
    assertThat(server.stats().refusals(Refusal.CALL_RESETS)).isEqualTo(1);
  }

  /** A server that answers calls with the beginning of a message, and more when told to. */
  private final class HalfServer {
    final Host host = hosts.start(Hosts.TCP);
    private final CompletableFuture<RawHttp2> served = new CompletableFuture<>();
    private final List<ListenableFuture<String>> answers = new ArrayList<>();
    private final ManagedChannel channel;

    HalfServer(Host caller, Function<Stream, ManagedChannel> wrap) {
      host.handle(
          Wire.PROTOCOL,
          stream -> {
            RawHttp2 raw = new RawHttp2(stream);
            raw.send(RawHttp2.frame(0, 4, 0, 0)); // SETTINGS.
            served.complete(raw);
          });
      channel = wrap.apply(await(caller.newStream(address(host), Wire.PROTOCOL)));
    }

    /** A call, of whose answer so many bytes have come in the end. */
    ListenableFuture<String> begin(int bytes) throws Http2Exception {
      String request = "request " + answers.size() + ".";
      answers.add(
          ClientCalls.futureUnaryCall(channel.newCall(Echo.UNARY, CallOptions.DEFAULT), request));
      RawHttp2 raw = await(served);
      eventually("the request comes", () -> raw.sent().contains(request));
      byte[] headers =
          RawHttp2.headers(
              new DefaultHttp2Headers().status("200").add("content-type", "application/grpc"));
      int call = call();
      byte[] message = ByteBuffer.allocate(bytes).put((byte) 0).putInt(MESSAGE).array();
      raw.send(RawHttp2.frame(headers.length, 1, 4, call), headers);
      for (int at = 0; at < bytes; at += 16_000) {
        raw.send(
            RawHttp2.data(call, Arrays.copyOfRange(message, at, Math.min(at + 16_000, bytes))));
      }
      return answers.get(answers.size() - 1);
    }

    /** The id of the last call; gRPC's first one is 3. */
    private int call() {
      return 1 + 2 * answers.size();
    }

    void goOn() {
      await(served).send(RawHttp2.data(call(), new byte[1]));
    }

    /** Until the caller has seen all that was sent so far. */
    void roundTrip() throws Exception {
      RawHttp2 raw = await(served);
      byte[] ping = ("ping" + pings++ + "....").substring(0, 8).getBytes(ISO_8859_1);
      String answer = new String(RawHttp2.join(RawHttp2.frame(8, 6, 1, 0), ping), ISO_8859_1);
      raw.send(RawHttp2.frame(8, 6, 0, 0), ping);
      eventually("the ping is answered", () -> raw.sent().contains(answer));
    }

    private int pings;
  }

  @Test
  @DisplayName("The channels of a GrpcStream share its memory, and those made alone have their own")
  void channelsOfAGrpcStreamShareMemory() throws Exception {
    Host caller = hosts.start(builder -> builder);
    CallLimits limits = CallLimits.builder().memory(1 << 20).build();
    GrpcStream client = opened(GrpcStream.builder().callLimits(limits));
    HalfServer first = new HalfServer(caller, client::client);
    for (int i = 0; i < 10; i++) {
      first.begin(48_000);
    }
    first.roundTrip();
    assertThat(first.answers).noneMatch(ListenableFuture::isDone);
    HalfServer second = new HalfServer(caller, client::client);
    for (int i = 0; i < 6; i++) {
      second.begin(48_000);
    }
    second.roundTrip();
    // Of 1,048,576 bytes the first holds 487,680; the second may hold half of the rest.
    assertThat(second.answers.subList(0, 5)).noneMatch(ListenableFuture::isDone);
    assertThatThrownBy(() -> second.answers.get(5).get())
        .hasMessageContaining("RESOURCE_EXHAUSTED: peer " + second.host.peerId())
        .hasMessageContaining("limit for all 1,048,576");
    log.await("CALL_MEMORY", "limit for all 1,048,576", second.host.peerId());
    assertThat(caller.stats().refusals(Refusal.CALL_MEMORY)).isEqualTo(1);

    HalfServer alone =
        new HalfServer(caller, stream -> GrpcStream.wrapClientBuilder(stream, limits).build());
    for (int i = 0; i < 11; i++) {
      alone.begin(48_000);
    }
    alone.roundTrip();
    assertThat(alone.answers.subList(0, 10)).noneMatch(ListenableFuture::isDone);
    assertThatThrownBy(() -> alone.answers.get(10).get()).hasMessageContaining("1,048,576");
    alone.channel.shutdownNow();
  }

  @Test
  @DisplayName("A server that hardly goes on loses the call only when others wait for its room")
  void serverThatHardlyGoesOn() throws Exception {
    Host caller = hosts.start(builder -> builder);
    CallLimits limits =
        CallLimits.builder().memory(32 << 20).stallTimeout(Duration.ofSeconds(1)).build();
    GrpcStream client = opened(GrpcStream.builder().callLimits(limits));
    List<HalfServer> slow = new ArrayList<>();
    for (int i = 0; i < 5; i++) { // 15 of the 16 MiB that can be reserved.
      slow.add(new HalfServer(caller, client::client));
      slow.get(i).begin(40_000);
    }
    // Some time, as another timer of ours shows, longer than theirs.
    Host control =
        serving(
            GrpcStream.builder()
                .callLimits(CallLimits.builder().stallTimeout(Duration.ofSeconds(3)).build()));
    Stream silent = await(caller.newStream(address(control), Wire.PROTOCOL));
    silent.channel().read();
    await(silent.closed());
    assertThat(slow).noneMatch(server -> server.answers.get(0).isDone());

    Host honest =
        serving(GrpcStream.builder().addService(Echo.service(text -> "x".repeat(MESSAGE))));
    ManagedChannel channel = client.client(await(caller.newStream(address(honest), Wire.PROTOCOL)));
    assertThat(Echo.unaryWhile(channel, "long", () -> slow.forEach(HalfServer::goOn)))
        .hasSize(MESSAGE);
    assertThat(caller.stats().refusals(Refusal.STALLED)).isPositive();
  }

  @Test
  @DisplayName("The room of channels that end, also with their host, goes to who waits")
  void roomOfChannelsThatEnd() throws Exception {
    CallLimits limits =
        CallLimits.builder().memory(32 << 20).stallTimeout(Duration.ofMinutes(5)).build();
    GrpcStream client = opened(GrpcStream.builder().callLimits(limits));
    Host ends = hosts.start(builder -> builder);
    Host stays = hosts.start(builder -> builder);
    List<HalfServer> holding = new ArrayList<>();
    for (int i = 0; i < 5; i++) { // 15 of the 16 MiB that can be reserved.
      holding.add(new HalfServer(ends, client::client));
      holding.get(i).begin(40_000);
      holding.get(i).roundTrip();
    }
    HalfServer waiting = new HalfServer(ends, client::client);
    waiting.begin(40_000);
    waiting.roundTrip();
    Host honest =
        serving(GrpcStream.builder().addService(Echo.service(text -> "x".repeat(MESSAGE))));
    ManagedChannel channel = client.client(await(stays.newStream(address(honest), Wire.PROTOCOL)));
    ListenableFuture<String> answer =
        ClientCalls.futureUnaryCall(channel.newCall(Echo.UNARY, CallOptions.DEFAULT), "long");
    waiting.channel.shutdownNow();
    await(ends.shutdown(Duration.ZERO));
    assertThat(answer.get(20, TimeUnit.SECONDS)).hasSize(MESSAGE);
    ListenableFuture<String> more =
        ClientCalls.futureUnaryCall(channel.newCall(Echo.UNARY, CallOptions.DEFAULT), "again");
    assertThat(more.get(20, TimeUnit.SECONDS)).hasSize(MESSAGE);
  }
}
