package io.grpcstream;

import static io.grpcstream.Hosts.address;
import static io.grpcstream.Hosts.await;
import static io.grpcstream.Hosts.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.stub.ClientCalls;
import io.grpcstream.libp2p.Connection;
import io.grpcstream.libp2p.ConnectionGater;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What ends a channel's back-off, and what does not. */
@Timeout(60)
class PeerWakeTest {
  private static final String PROTOCOL = Wire.PROTOCOL;

  /** gRPC's, less what it varies by. */
  private static final Duration SHORTEST_BACK_OFF = Duration.ofMillis(800);

  private final Hosts hosts = new Hosts();
  private final List<ManagedChannel> channels = new ArrayList<>();

  @AfterEach
  void close() throws Exception {
    for (ManagedChannel channel : channels) {
      channel.shutdownNow();
      assertThat(channel.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
    }
    hosts.close();
  }

  private ManagedChannel keep(ManagedChannel channel) {
    channels.add(channel);
    return channel;
  }

  private static ListenableFuture<String> waiting(ManagedChannel channel) {
    return ClientCalls.futureUnaryCall(
        channel.newCall(Echo.UNARY, CallOptions.DEFAULT.withWaitForReady()), "wait");
  }

  private Host serving() {
    Host host = hosts.start(Hosts.MEMORY);
    host.handle(
        PROTOCOL, GrpcStream.builder().addService(Echo.service()).build().serve().handler());
    return host;
  }

  @Test
  @DisplayName("Peers that turn this one away do not end each other's back-off for ever")
  void turnedAway() throws Exception {
    AtomicInteger turnedAway = new AtomicInteger();
    ConnectionGater none =
        new ConnectionGater() {
          @Override
          public boolean allowPeer(PeerId peer, Multiaddr address, boolean initiator) {
            turnedAway.incrementAndGet();
            return false;
          }
        };
    Host caller = hosts.start(builder -> builder);
    String target =
        Stream.generate(() -> hosts.start(builder -> builder.listen(Hosts.MEMORY).gater(none)))
            .limit(8)
            .map(peer -> address(peer).toString())
            .collect(Collectors.joining(",", "libp2p:", "?protocol=" + PROTOCOL));
    ManagedChannel channel =
        keep(
            PeerChannelBuilder.forTarget(caller, target)
                .defaultLoadBalancingPolicy("round_robin")
                .build());
    long begun = System.nanoTime();
    CallOptions twoSeconds =
        CallOptions.DEFAULT.withWaitForReady().withDeadlineAfter(2, TimeUnit.SECONDS);
    ListenableFuture<String> call =
        ClientCalls.futureUnaryCall(channel.newCall(Echo.UNARY, twoSeconds), "wait");
    assertThatThrownBy(() -> call.get(20, TimeUnit.SECONDS))
        .hasMessageContaining("DEADLINE_EXCEEDED");
    long longest = 1 + (System.nanoTime() - begun) / SHORTEST_BACK_OFF.toNanos();
    assertThat(turnedAway.get())
        .as("dials of eight peers, at most two of each in an attempt")
        .isBetween(8, (int) (16 * longest));
  }

  @Test
  @DisplayName("A peer that connects while the attempt to reach it fails is called at once")
  void connectsWhileTheAttemptFails() throws Exception {
    Host peer = serving();
    Host caller = hosts.start(Hosts.MEMORY);
    long least = Long.MAX_VALUE;
    for (int round = 0; round < 5; round++) {
      CompletableFuture<io.grpcstream.libp2p.Stream> firstAttempt = new CompletableFuture<>();
      Queue<CompletableFuture<io.grpcstream.libp2p.Stream>> attempts =
          new ConcurrentLinkedQueue<>();
      attempts.add(firstAttempt);
      ManagedChannel channel =
          keep(
              PeerChannelBuilder.forPeer(dialling(caller, attempts), peer.peerId(), PROTOCOL)
                  .build());
      ListenableFuture<String> waits = waiting(channel);
      eventually("the attempt is under way", attempts::isEmpty);
      Connection connection = await(peer.connect(address(caller)));
      eventually("it is heard", () -> !caller.connections().isEmpty());
      long failed = System.nanoTime();
      firstAttempt.completeExceptionally(new IOException("was not reached in time"));
      assertThat(waits.get(20, TimeUnit.SECONDS)).isEqualTo("wait");
      least = Math.min(least, System.nanoTime() - failed);
      connection.close();
      eventually("it is gone", () -> caller.connections().isEmpty());
    }
    assertThat(Duration.ofNanos(least)).isLessThan(SHORTEST_BACK_OFF);
  }

  /** {@code host}, whose first new streams come from {@code first}. */
  private static Host dialling(
      Host host, Queue<CompletableFuture<io.grpcstream.libp2p.Stream>> first) {
    return (Host)
        Proxy.newProxyInstance(
            Host.class.getClassLoader(),
            new Class<?>[] {Host.class},
            (proxy, method, arguments) -> {
              CompletableFuture<io.grpcstream.libp2p.Stream> next =
                  method.getName().equals("newStream") ? first.poll() : null;
              return next != null ? next : method.invoke(host, arguments);
            });
  }
}
