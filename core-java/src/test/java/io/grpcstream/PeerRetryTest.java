package io.grpcstream;

import static io.grpcstream.Hosts.address;
import static io.grpcstream.Hosts.await;
import static io.grpcstream.Hosts.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpcstream.libp2p.Connection;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Stream;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Retries, hedges, and calls whose stream ends under them. */
@Timeout(60)
class PeerRetryTest {
  private static final String PROTOCOL = Wire.PROTOCOL;

  private final Hosts hosts = new Hosts();
  private final Host caller = hosts.start(Hosts.MEMORY);
  private final List<ManagedChannel> channels = new ArrayList<>();
  private final ConcurrentLinkedQueue<Stream> served = new ConcurrentLinkedQueue<>();

  @AfterEach
  void close() throws Exception {
    for (ManagedChannel channel : channels) {
      channel.shutdownNow();
      assertThat(channel.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
    }
    hosts.close();
  }

  private Host serving(UnaryOperator<String> reply) {
    Host host = hosts.start(Hosts.MEMORY);
    GrpcStream grpc = GrpcStream.builder().addService(Echo.service(reply)).build().serve();
    host.handle(
        PROTOCOL,
        stream -> {
          served.add(stream);
          grpc.onStream(stream);
        });
    return host;
  }

  private ManagedChannel channel(Consumer<PeerChannelBuilder> options, Host... peers) {
    List<String> addresses = new ArrayList<>();
    for (Host peer : peers) {
      addresses.add(address(peer).toString());
    }
    PeerChannelBuilder builder =
        PeerChannelBuilder.forTarget(
            caller, "libp2p:" + String.join(",", addresses) + "?protocol=" + PROTOCOL);
    options.accept(builder);
    ManagedChannel channel = builder.build();
    channels.add(channel);
    return channel;
  }

  private static ListenableFuture<String> call(ManagedChannel channel, String request) {
    return ClientCalls.futureUnaryCall(channel.newCall(Echo.UNARY, CallOptions.DEFAULT), request);
  }

  private static Map<String, ?> methods(String policy, Map<String, ?> values) {
    return Map.of(
        "methodConfig",
        List.of(Map.of("name", List.of(Map.of("service", Echo.NAME)), policy, values)));
  }

  @Test
  @DisplayName("A call that fails is retried by the service config, on a new stream if need be")
  void retries() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    Host peer =
        serving(
            request -> {
              if (calls.incrementAndGet() < 3) {
                served.peek().reset();
                throw new StatusRuntimeException(Status.UNAVAILABLE);
              }
              return "at last";
            });
    ManagedChannel channel =
        channel(
            builder ->
                builder.defaultServiceConfig(
                    methods(
                        "retryPolicy",
                        Map.of(
                            "maxAttempts",
                            4.0,
                            "initialBackoff",
                            "0.01s",
                            "maxBackoff",
                            "0.1s",
                            "backoffMultiplier",
                            1.5,
                            "retryableStatusCodes",
                            List.of("UNAVAILABLE")))),
            peer);
    assertThat(call(channel, "x").get(20, TimeUnit.SECONDS)).isEqualTo("at last");
    assertThat(calls.get()).isEqualTo(3);
  }

  @Test
  @DisplayName("A call in flight whose stream is reset fails with a status that names the peer")
  void inFlight() throws Exception {
    CountDownLatch reached = new CountDownLatch(1);
    CompletableFuture<String> never = new CompletableFuture<>();
    Host peer =
        serving(
            request -> {
              reached.countDown();
              return never.join();
            });
    ManagedChannel channel = channel(builder -> {}, peer);
    ListenableFuture<String> call = call(channel, "x");
    assertThat(reached.await(20, TimeUnit.SECONDS)).isTrue();
    served.forEach(Stream::reset);
    assertThatThrownBy(() -> call.get(20, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasMessageContaining("UNAVAILABLE")
        .hasMessageContaining(peer.peerId().toString())
        .hasMessageContaining(PROTOCOL)
        .hasMessageContaining("reset");
    never.complete("too late");
  }

  @Test
  @DisplayName("Calls given to streams that die are seen by the peer at most once, or never fail")
  void transparentRetry() throws Exception {
    Map<String, AtomicInteger> seen = new ConcurrentHashMap<>();
    Host peer =
        serving(
            request -> {
              seen.computeIfAbsent(request, r -> new AtomicInteger()).incrementAndGet();
              return request;
            });
    ManagedChannel channel = channel(builder -> {}, peer);
    assertThat(call(channel, "first").get(20, TimeUnit.SECONDS)).isEqualTo("first");
    int failed = 0;
    for (int round = 0; round < 200; round++) {
      Stream stream = served.poll();
      List<ListenableFuture<String>> calls = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        if (i == round % 10 && stream != null) {
          stream.reset(); // It goes on here while the caller does not know yet.
        }
        calls.add(call(channel, round + "/" + i));
      }
      for (int i = 0; i < 10; i++) {
        try {
          assertThat(calls.get(i).get(20, TimeUnit.SECONDS)).isEqualTo(round + "/" + i);
        } catch (ExecutionException e) {
          failed++; // It was on its way: nobody can know whether the peer has seen it.
          assertThat(e)
              .hasMessageContaining("UNAVAILABLE")
              .hasMessageContaining(peer.peerId().toString());
        }
      }
    }
    Set<Integer> times = ConcurrentHashMap.newKeySet();
    seen.values().forEach(count -> times.add(count.get()));
    assertThat(times).containsExactly(1);
    assertThat(failed).isLessThan(2_000);
  }

  @Test
  @DisplayName("A call that is made once its stream's end is known here does not fail")
  void afterTheEnd() throws Exception {
    Map<String, AtomicInteger> seen = new ConcurrentHashMap<>();
    Host peer =
        serving(
            request -> {
              seen.computeIfAbsent(request, r -> new AtomicInteger()).incrementAndGet();
              return request;
            });
    ManagedChannel channel = channel(builder -> {}, peer);
    assertThat(call(channel, "first").get(20, TimeUnit.SECONDS)).isEqualTo("first");
    for (int round = 0; round < 100; round++) {
      // On the event loop, just before gRPC is told.
      CompletableFuture<ListenableFuture<String>> made = new CompletableFuture<>();
      String request = "call " + round;
      Stream stream = caller.connections().get(0).streams().get(0);
      stream
          .channel()
          .eventLoop()
          .execute(
              () -> {
                stream.reset();
                made.complete(call(channel, request));
              });
      assertThat(made.get(20, TimeUnit.SECONDS).get(20, TimeUnit.SECONDS)).isEqualTo(request);
      eventually("it has its next stream", () -> caller.connections().get(0).streams().size() == 1);
    }
    assertThat(seen.values()).allMatch(count -> count.get() == 1);
  }

  @Test
  @DisplayName("A hedge is sent to another peer, and the first answer counts")
  void hedges() throws Exception {
    CompletableFuture<String> never = new CompletableFuture<>();
    AtomicInteger calls = new AtomicInteger();
    UnaryOperator<String> onceSlow =
        request -> calls.incrementAndGet() == 1 ? never.join() : "quick";
    ManagedChannel channel = channel(PeerRetryTest::hedging, serving(onceSlow), serving(onceSlow));
    assertThat(call(channel, "x").get(20, TimeUnit.SECONDS)).isEqualTo("quick");
    assertThat(calls.get()).isEqualTo(2);
    never.complete("late");
  }

  private static void hedging(PeerChannelBuilder builder) {
    builder
        .defaultLoadBalancingPolicy("round_robin")
        .defaultServiceConfig(
            methods(
                "hedgingPolicy",
                Map.of(
                    "maxAttempts",
                    2.0,
                    "hedgingDelay",
                    "0.05s",
                    "nonFatalStatusCodes",
                    List.of("UNAVAILABLE"))));
  }

  @Test
  @DisplayName("A hedged call that the first attempt wins can be cancelled after its stream's end")
  void hedgeIsCancelledLate() throws Exception {
    Semaphore both = new Semaphore(0);
    Semaphore answer = new Semaphore(0);
    Map<String, Boolean> answered = new ConcurrentHashMap<>();
    CompletableFuture<String> never = new CompletableFuture<>();
    List<Host> peers = new ArrayList<>();
    for (String name : List.of("a", "b")) {
      peers.add(
          serving(
              request -> {
                if (request.equals("warm")) {
                  return name;
                }
                boolean first = both.availablePermits() == 0;
                if (answered.putIfAbsent(name, first) == null) {
                  both.release();
                  if (first) {
                    answer.acquireUninterruptibly();
                    return name;
                  }
                  return never.join();
                }
                return name;
              }));
    }
    ManagedChannel channel = channel(PeerRetryTest::hedging, peers.toArray(Host[]::new));
    eventually(
        "both take turns", () -> !Echo.unary(channel, "warm").equals(Echo.unary(channel, "warm")));
    CompletableFuture<Status> end = new CompletableFuture<>();
    CountDownLatch first = new CountDownLatch(1);
    ClientCall<String, String> call = channel.newCall(Echo.SERVER_STREAM, CallOptions.DEFAULT);
    call.start(
        new ClientCall.Listener<>() {
          @Override
          public void onMessage(String message) {
            first.countDown();
          }

          @Override
          public void onClose(Status status, Metadata trailers) {
            end.complete(status);
          }
        },
        new Metadata());
    call.request(1);
    call.sendMessage("x");
    call.halfClose();
    both.acquire(2);
    answer.release();
    assertThat(first.await(20, TimeUnit.SECONDS)).isTrue();
    // The attempt that has won is the first one; two of its messages are unread.
    Host winner = peers.get(answered.get("a") ? 0 : 1);
    Connection connection = caller.connections(winner.peerId()).get(0);
    EventLoop loop = connection.streams().get(0).channel().eventLoop();
    connection.close();
    await(connection.closed());
    for (int turn = 0; turn < 3; turn++) {
      loop.submit(() -> {}).get(20, TimeUnit.SECONDS);
    }
    call.cancel("enough", null);
    assertThat(end.get(20, TimeUnit.SECONDS).getCode()).isEqualTo(Status.Code.CANCELLED);
    never.complete("late");
  }
}
