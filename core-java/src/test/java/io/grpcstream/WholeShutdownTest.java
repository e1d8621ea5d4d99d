package io.grpcstream;

import static io.grpcstream.Hosts.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.Stream;
import io.netty.channel.Channel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two hosts with gRPC on them, shut down while calls of all streaming kinds are under way. */
@Timeout(120)
class WholeShutdownTest {
  private static final Duration LONG = Duration.ofMinutes(5);
  private static final Duration SHORT = Duration.ofMillis(100);
  private static final int CALLS = 5;

  private final List<Channel> channels = new CopyOnWriteArrayList<>();
  private final List<StreamObserver<String>> calls = new ArrayList<>();
  private final List<Echo.Responses> responses = new ArrayList<>();
  private final Flood flood = new Flood(1);
  private Set<String> threadsBefore = Set.of();
  private Set<String> socketsBefore = Set.of();
  private Host server;
  private Host client;
  private GrpcStream grpc;
  private GrpcStream caller;

  /** Libraries start threads of their own, for good, when they are first used. */
  private static void warmUp() {
    try (Hosts hosts = new Hosts()) {
      GrpcStream grpc = GrpcStream.builder().addService(Echo.service()).build().serve();
      Stream stream = Hosts.open(hosts.start(Hosts.TCP), hosts.start(Hosts.TCP), grpc.handler());
      assertThat(Echo.unary(GrpcStream.wrapClient(stream), "warm")).isEqualTo("warm");
      await(grpc.shutdown(Duration.ZERO));
    }
  }

  private void start(String address) throws Exception {
    warmUp();
    threadsBefore = threads();
    socketsBefore = sockets();
    server = await(Host.builder().listen(address).threads(2).build().start());
    client = await(Host.builder().threads(2).build().start());
    grpc =
        GrpcStream.builder().addService(Echo.service()).addService(flood.service()).build().serve();
    caller = GrpcStream.create();
    server.handle(
        Wire.PROTOCOL,
        stream -> {
          channels.add(stream.channel());
          grpc.handler().onStream(stream);
        });
    Multiaddr target = server.listenAddresses().get(0);
    for (int i = 0; i < CALLS; i++) {
      Stream stream = await(client.newStream(target, Wire.PROTOCOL));
      channels.add(stream.channel());
      channels.add(stream.channel().parent());
      ManagedChannel channel = caller.client(stream);
      Echo.Responses answers = new Echo.Responses();
      StreamObserver<String> call = Echo.bidi(channel, answers);
      call.onNext("before");
      assertThat(answers.next()).isEqualTo("before");
      calls.add(call);
      responses.add(answers);
      flood.serverStream(channel);
    }
    Hosts.eventually(
        "floods flow",
        () ->
            flood.drains().size() == CALLS
                && flood.drains().stream().allMatch(drain -> drain.received() == 1));
  }

  @ParameterizedTest
  @ValueSource(strings = {Hosts.TCP, Hosts.MEMORY})
  void callsFinishWithinTheGraceAndNothingIsLeft(String address) throws Exception {
    start(address);
    List<CompletionStage<Void>> ends =
        List.of(
            grpc.shutdown(LONG),
            caller.shutdown(LONG),
            server.shutdown(LONG),
            client.shutdown(LONG));
    for (int i = 0; i < CALLS; i++) {
      calls.get(i).onNext("after");
      assertThat(responses.get(i).next()).isEqualTo("after");
    }
    assertThat(ends).noneMatch(end -> end.toCompletableFuture().isDone());
    for (int i = 0; i < CALLS; i++) {
      calls.get(i).onCompleted();
      responses.get(i).awaitEnd();
    }
    flood.pumps().forEach(pump -> pump.endAfter(pump.sent() + 10));
    flood.drains().forEach(drain -> drain.request(Integer.MAX_VALUE));
    flood.drains().forEach(drain -> assertThat(await(drain.done())).isGreaterThan(10));
    ends.forEach(Hosts::await);
    nothingIsLeft();
  }

  @ParameterizedTest
  @ValueSource(strings = {Hosts.TCP, Hosts.MEMORY})
  @DisplayName("Calls are cut with UNAVAILABLE after the grace, and nothing is left")
  void callsAreCutAfterTheGrace(String address) throws Exception {
    start(address);
    List<CompletionStage<Void>> ends =
        List.of(grpc.shutdown(SHORT), server.shutdown(SHORT), caller.shutdown(LONG));
    for (Echo.Responses cut : responses) {
      assertThat(cut.failure().getCode()).isEqualTo(Code.UNAVAILABLE);
    }
    ends.forEach(Hosts::await);
    await(client.shutdown(SHORT));
    floodsAreCut();
    nothingIsLeft();
  }

  @ParameterizedTest
  @ValueSource(strings = {Hosts.TCP, Hosts.MEMORY})
  @DisplayName("Hosts alone cut calls with UNAVAILABLE, and nothing is left")
  void hostsAloneCutCalls(String address) throws Exception {
    start(address);
    CompletionStage<Void> clientEnd = client.shutdown(SHORT);
    for (Echo.Responses cut : responses) {
      assertThat(cut.failure().getCode()).isEqualTo(Code.UNAVAILABLE);
    }
    await(clientEnd);
    await(server.shutdown(SHORT));
    await(grpc.shutdown(LONG));
    await(caller.shutdown(LONG));
    floodsAreCut();
    nothingIsLeft();
  }

  /** A gRPC call is over for its user once it has taken what had arrived before. */
  private void floodsAreCut() {
    for (Flood.Drain drain : flood.drains()) {
      drain.request(Integer.MAX_VALUE);
      Object end = await(drain.done().handle((count, failure) -> failure));
      assertThat(end)
          .isInstanceOfSatisfying(
              StatusRuntimeException.class,
              e -> assertThat(e.getStatus().getCode()).isEqualTo(Code.UNAVAILABLE));
    }
  }

  /** gRPC's shared threads end a second after their last user, Netty's global one likewise. */
  private void nothingIsLeft() {
    assertThat(channels).isNotEmpty().noneMatch(Channel::isOpen).noneMatch(Channel::isActive);
    Hosts.eventually(() -> "no thread is left, has " + newThreads(), () -> newThreads().isEmpty());
    Hosts.eventually("no socket is left", () -> socketsBefore.containsAll(sockets()));
    assertThat(server.stats().inboundStreams() + server.stats().inboundConnections()).isZero();
    assertThat(client.stats().outboundStreams() + client.stats().outboundConnections()).isZero();
  }

  private Set<String> newThreads() {
    Set<String> threads = threads();
    threads.removeAll(threadsBefore);
    return threads;
  }

  private static Set<String> threads() {
    return Arrays.stream(ManagementFactory.getThreadMXBean().dumpAllThreads(false, false))
        .map(WholeShutdownTest::describe)
        .collect(Collectors.toSet());
  }

  private static String describe(ThreadInfo thread) {
    return thread.getThreadId() + " " + thread.getThreadName();
  }

  /** Sockets of this process, where the system lists them. */
  private static Set<String> sockets() {
    Path list = Path.of("/proc/self/fd");
    if (!Files.isDirectory(list)) {
      return Set.of();
    }
    try (java.util.stream.Stream<Path> descriptors = Files.list(list)) {
      return descriptors
          .map(WholeShutdownTest::target)
          .filter(target -> target.startsWith("socket:"))
          .collect(Collectors.toSet());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String target(Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor).toString();
    } catch (IOException e) {
      return "closed meanwhile: " + e.getMessage();
    }
  }
}
