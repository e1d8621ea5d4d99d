package io.grpcstream;

import static io.grpcstream.Hosts.address;
import static io.grpcstream.Hosts.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.stub.ClientCalls;
import io.grpcstream.libp2p.Host;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Many channels, one after the other and at once. */
@Timeout(120)
class PeerChurnTest {
  private static final int CHURN = Integer.getInteger("peer.churn", 1_000);

  private final Hosts hosts = new Hosts();
  private final GrpcStream grpc = GrpcStream.builder().addService(Echo.service()).build().serve();

  private static ListenableFuture<String> call(ManagedChannel channel) {
    return ClientCalls.futureUnaryCall(channel.newCall(Echo.UNARY, CallOptions.DEFAULT), "x");
  }

  private static ManagedChannel channel(Host caller, Host peer) {
    return PeerChannelBuilder.forAddress(caller, address(peer), GrpcStream.PROTOCOL).build();
  }

  private static long streams(Host host) {
    return host.connections().stream()
        .flatMap(connection -> connection.streams().stream())
        .filter(stream -> stream.protocol().equals(GrpcStream.PROTOCOL))
        .count();
  }

  private static long usedHeap() {
    System.gc();
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }

  @Test
  @DisplayName("Channels that were used and shut down leave nothing behind")
  void churn() throws Exception {
    try (hosts) {
      Host caller = hosts.start(Hosts.MEMORY);
      List<Host> peers = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        Host peer = hosts.start(Hosts.MEMORY);
        peer.handle(GrpcStream.PROTOCOL, grpc.handler());
        peers.add(peer);
      }
      int threads = 0;
      List<WeakReference<ManagedChannel>> made = new ArrayList<>();
      for (int i = 0; i < CHURN; i++) {
        ManagedChannel channel = channel(caller, peers.get(i % peers.size()));
        assertThat(call(channel).get(20, TimeUnit.SECONDS)).isEqualTo("x");
        channel.shutdown();
        assertThat(channel.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
        made.add(new WeakReference<>(channel));
        if (i == CHURN / 10) {
          threads = Thread.activeCount();
        }
      }
      assertThat(caller.connections()).hasSize(peers.size());
      assertThat(Thread.activeCount()).isLessThanOrEqualTo(threads + 5);
      eventually("no stream is left", () -> streams(caller) == 0);
      for (Host peer : peers) {
        eventually("no stream is left there", () -> streams(peer) == 0);
      }
      eventually(
          "nobody keeps a channel",
          () -> {
            System.gc();
            return made.stream().allMatch(channel -> channel.get() == null);
          });
    }
  }

  @Test
  @DisplayName("1,000 channels to 100 peers are over 100 connections, and add no thread")
  void manyAtOnce() throws Exception {
    MultiThreadIoEventLoopGroup group =
        new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
    try (hosts) {
      Host caller = hosts.start(builder -> builder.eventLoopGroup(group).listen(Hosts.MEMORY));
      List<Host> peers = new ArrayList<>();
      List<ManagedChannel> channels = new ArrayList<>();
      List<ListenableFuture<String>> calls = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        Host peer = hosts.start(builder -> builder.eventLoopGroup(group).listen(Hosts.MEMORY));
        peer.handle(GrpcStream.PROTOCOL, grpc.handler());
        peers.add(peer);
        calls.add(call(keep(channel(caller, peer), channels)));
      }
      await(calls);
      int threads = Thread.activeCount();
      long heap = usedHeap();
      for (int i = 0; i < 900; i++) {
        calls.add(call(keep(channel(caller, peers.get(i % 100)), channels)));
      }
      await(calls);
      long each = (usedHeap() - heap) / 900;
      assertThat(caller.connections()).hasSize(100);
      assertThat(streams(caller)).isEqualTo(1_000);
      // gRPC's shared executor may have grown with the calls at once.
      assertThat(
              Thread.getAllStackTraces().keySet().stream()
                  .filter(thread -> !thread.getName().startsWith("grpc-default-executor"))
                  .count())
          .isLessThanOrEqualTo(threads + 5);
      assertThat(each).as("bytes a channel with its stream, both ends").isLessThan(400_000);
      channels.forEach(ManagedChannel::shutdown);
      for (ManagedChannel channel : channels) {
        assertThat(channel.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
      }
      eventually("no stream is left", () -> streams(caller) == 0);
    } finally {
      group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    }
  }

  private static ManagedChannel keep(ManagedChannel channel, List<ManagedChannel> channels) {
    channels.add(channel);
    return channel;
  }

  private static void await(List<ListenableFuture<String>> calls) throws Exception {
    for (ListenableFuture<String> call : calls) {
      assertThat(call.get(20, TimeUnit.SECONDS)).isEqualTo("x");
    }
    calls.clear();
  }
}
