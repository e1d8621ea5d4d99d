package io.grpc.testing.integration;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpcstream.GrpcPeer;
import io.grpcstream.GrpcStream;
import io.grpcstream.PeerChannelBuilder;
import io.grpcstream.PeerServerBuilder;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** gRPC's soak cases, {@code rpc_soak} and {@code channel_soak}, from peer to peer. */
@Timeout(120)
class PeerSoakTest {
  private static final int ITERATIONS = 200;
  private static final int THREADS = 4;
  private static final int ANY_LATENCY_MILLIS = Integer.MAX_VALUE;
  private static final int REQUEST_BYTES = 271_828;
  private static final int RESPONSE_BYTES = 314_159;

  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private final GrpcPeer serving = GrpcPeer.builder().listen("/ip4/127.0.0.1/tcp/0").build();
  private final GrpcPeer calling = GrpcPeer.builder().build();
  private Server server;

  /** Each call would be a line. Held here, since the log manager holds it weakly. */
  private final Logger calls = Logger.getLogger(SoakClient.class.getName());

  @BeforeEach
  void start() throws Exception {
    calls.setLevel(Level.WARNING);
    server =
        PeerServerBuilder.forProtocol(serving.host(), GrpcStream.PROTOCOL)
            .addService(new TestServiceImpl(timer))
            .build()
            .start();
    serving.start().toCompletableFuture().get();
    calling.start().toCompletableFuture().get();
  }

  @AfterEach
  void close() throws Exception {
    calls.setLevel(null);
    server.shutdownNow();
    calling.close();
    serving.close();
    assertThat(server.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
    timer.shutdownNow();
  }

  private String target() {
    return "libp2p:" + serving.addresses().get(0);
  }

  private ManagedChannel newChannel() {
    return PeerChannelBuilder.forTarget(calling.host(), target()).build();
  }

  @Test
  @DisplayName("rpc_soak: all calls on one channel")
  void rpcSoak() throws InterruptedException {
    soak(newChannel(), channel -> channel);
  }

  @Test
  @DisplayName("channel_soak: each call on a channel of its own")
  void channelSoak() throws InterruptedException {
    soak(
        newChannel(),
        before -> {
          before.shutdownNow();
          return newChannel();
        });
    assertThat(calling.host().connections()).hasSize(1);
  }

  private void soak(
      ManagedChannel first,
      com.google.common.base.Function<ManagedChannel, ManagedChannel> channelForCall)
      throws InterruptedException {
    SoakClient.performSoakTest(
        target(),
        ITERATIONS,
        0,
        ANY_LATENCY_MILLIS,
        0,
        100,
        REQUEST_BYTES,
        RESPONSE_BYTES,
        THREADS,
        first,
        channelForCall);
  }
}
