package io.grpcstream;

import static io.grpcstream.Hosts.await;
import static io.grpcstream.Hosts.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class GrpcPeerTest {
  private static final Duration LONG = Duration.ofMinutes(5);

  private final List<GrpcPeer> peers = new ArrayList<>();

  @AfterEach
  void close() {
    peers.forEach(peer -> peer.shutdown(Duration.ZERO));
    peers.forEach(peer -> await(peer.closed()));
  }

  private GrpcPeer keep(GrpcPeer peer) {
    peers.add(peer);
    return peer;
  }

  private GrpcPeer start(ServerServiceDefinition service) {
    return await(
        keep(GrpcPeer.builder()
                .listen(Hosts.MEMORY)
                .serve(GrpcStream.builder().addService(service).build())
                .build())
            .start());
  }

  private static String target(GrpcPeer peer) {
    return "libp2p:" + peer.addresses().get(0);
  }

  @Test
  @DisplayName("A served call that calls another peer finishes within the grace, then all ends")
  void orderOfTheEnd() throws Exception {
    GrpcPeer last = start(Echo.service(request -> request + " from the last"));
    AtomicReference<GrpcPeer> self = new AtomicReference<>();
    CountDownLatch reached = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    GrpcPeer middle =
        start(
            ServerServiceDefinition.builder(Echo.NAME)
                .addMethod(
                    Echo.UNARY,
                    ServerCalls.asyncUnaryCall(
                        (String request, StreamObserver<String> responses) -> {
                          reached.countDown();
                          try {
                            goOn.await();
                          } catch (InterruptedException e) {
                            throw new AssertionError(e);
                          }
                          // The channel is new: it dials during the shutdown.
                          responses.onNext(Echo.unary(self.get().channel(target(last)), request));
                          responses.onCompleted();
                        }))
                .build());
    self.set(middle);
    GrpcPeer first = start(Echo.service());
    ManagedChannel channel = first.channel(target(middle));
    ListenableFuture<String> call =
        ClientCalls.futureUnaryCall(channel.newCall(Echo.UNARY, CallOptions.DEFAULT), "hello");
    assertThat(reached.await(20, TimeUnit.SECONDS)).isTrue();
    CompletableFuture<Void> end = middle.shutdown(LONG).toCompletableFuture();
    ManagedChannel late = first.channel(middle.peerId(), GrpcStream.PROTOCOL);
    assertThat(Echo.failure(late).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(end).isNotDone();
    goOn.countDown();
    assertThat(call.get(20, TimeUnit.SECONDS)).isEqualTo("hello from the last");
    await(end);
    assertThat(middle.host().connections()).isEmpty();
  }

  @Test
  @DisplayName("The grace can be shortened while it runs")
  void shorterGrace() throws Exception {
    GrpcPeer served = start(Echo.service());
    GrpcPeer calling = start(Echo.service());
    Echo.Responses responses = new Echo.Responses();
    StreamObserver<String> call = Echo.bidi(calling.channel(target(served)), responses);
    call.onNext("x");
    assertThat(responses.next()).isEqualTo("x");
    CompletableFuture<Void> end = calling.shutdown(LONG).toCompletableFuture();
    call.onNext("y");
    assertThat(responses.next()).isEqualTo("y");
    assertThat(end).isNotDone();
    await(calling.shutdown(Duration.ZERO));
    await(end);
    Status status = responses.failure();
    assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(status.getDescription()).contains(served.peerId().toString());
  }

  @Test
  @DisplayName("A start on a port that is taken fails, and leaves nothing")
  void takenPort() {
    GrpcPeer holder = await(keep(GrpcPeer.builder().listen(Hosts.TCP).build()).start());
    GrpcStream grpc = GrpcStream.builder().addService(Echo.service()).build();
    GrpcPeer second =
        keep(
            GrpcPeer.builder()
                .listen(holder.addresses().get(0).withoutPeerId().toString())
                .serve(grpc)
                .build());
    ManagedChannel channel = second.channel(target(holder));
    CompletableFuture<GrpcPeer> start = second.start().toCompletableFuture();
    assertThatThrownBy(() -> start.get(20, TimeUnit.SECONDS)).hasMessageContaining("/tcp/");
    await(second.closed());
    await(grpc.terminated());
    eventually("its channel is over", channel::isTerminated);
    assertThat(second.start().toCompletableFuture()).isCompletedExceptionally();
  }

  @Test
  @DisplayName("A peer that is shut down before its start ends, and does not start")
  void neverStarted() {
    GrpcPeer peer =
        GrpcPeer.builder()
            .listen(Hosts.MEMORY)
            .serve(GrpcStream.builder().addService(Echo.service()).build())
            .build();
    await(peer.shutdown(LONG));
    CompletableFuture<GrpcPeer> start = peer.start().toCompletableFuture();
    assertThatThrownBy(() -> start.get(20, TimeUnit.SECONDS)).hasMessageContaining("shut down");
    peer.close();
  }

  @Test
  @DisplayName("A protocol is served once, and a GrpcStream may serve several")
  void services() {
    GrpcStream grpc = GrpcStream.builder().addService(Echo.service()).build();
    GrpcPeer.Builder builder = GrpcPeer.builder().listen(Hosts.MEMORY).serve("/a", grpc);
    assertThatThrownBy(() -> builder.serve("/a", grpc))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("/a");
    GrpcPeer served = await(keep(builder.serve("/b", grpc).build()).start());
    GrpcPeer calling = start(Echo.service());
    for (String protocol : List.of("/a", "/b")) {
      assertThat(Echo.unary(calling.channel(served.addresses().get(0), protocol), "x"))
          .isEqualTo("x");
    }
  }

  @Test
  @DisplayName("A channel is made once a target, until it is shut down; none is kept beyond that")
  void channels() throws Exception {
    GrpcPeer served = start(Echo.service());
    GrpcPeer calling = start(Echo.service());
    ManagedChannel first = calling.channel(target(served));
    assertThat(calling.channel(target(served))).isSameAs(first);
    assertThat(calling.channel(served.peerId(), GrpcStream.PROTOCOL)).isNotSameAs(first);
    first.shutdown();
    ManagedChannel next = calling.channel(target(served));
    assertThat(next).isNotSameAs(first);
    assertThat(Echo.unary(next, "x")).isEqualTo("x");

    ManagedChannel unused = calling.channel(served.peerId(), "/other");
    WeakReference<ManagedChannel> kept = new WeakReference<>(unused);
    unused.shutdownNow();
    assertThat(unused.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
    unused = null;
    calling.channel(served.peerId(), "/yet/another");
    eventually(
        "nobody keeps a channel that was shut down",
        () -> {
          System.gc();
          return kept.get() == null;
        });
  }

  @Test
  @DisplayName("close() on an event loop of the user's own returns at once")
  void closeOnAnEventLoopOfTheUsers() throws Exception {
    GrpcPeer serving = start(Echo.service());
    EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    try {
      GrpcPeer calling =
          keep(GrpcPeer.builder().configureHost(host -> host.eventLoopGroup(group)).build());
      await(calling.start());
      assertThat(Echo.unary(calling.channel(target(serving)), "x")).isEqualTo("x");
      group.submit(calling::close).get(20, TimeUnit.SECONDS);
      await(calling.closed());
    } finally {
      group.shutdownGracefully(0, 10, TimeUnit.SECONDS).syncUninterruptibly();
    }
  }

  @Test
  @DisplayName("close() on an event loop returns at once")
  void closeOnAnEventLoop() throws Exception {
    GrpcPeer served = start(Echo.service());
    GrpcPeer calling = start(Echo.service());
    CompletableFuture<Boolean> closed = new CompletableFuture<>();
    calling
        .host()
        .connect(served.addresses().get(0))
        .thenAccept(
            connection -> {
              calling.close();
              closed.complete(true);
            });
    assertThat(closed.get(20, TimeUnit.SECONDS)).isTrue();
    await(calling.closed());
  }

  @Test
  @DisplayName("A peer whose host is shut down ends, and so do its services and channels")
  void hostEnds() {
    GrpcStream grpc = GrpcStream.builder().addService(Echo.service()).build();
    GrpcPeer peer =
        await(keep(GrpcPeer.builder().listen(Hosts.MEMORY).serve(grpc).build()).start());
    GrpcPeer other = start(Echo.service());
    ManagedChannel channel = peer.channel(target(other));
    assertThat(Echo.unary(channel, "x")).isEqualTo("x");
    await(peer.host().shutdown(Duration.ofSeconds(10)));
    await(peer.closed());
    await(grpc.terminated());
    eventually("its channel is over", channel::isTerminated);
  }
}
