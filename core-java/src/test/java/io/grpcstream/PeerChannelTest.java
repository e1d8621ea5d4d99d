package io.grpcstream;

import static io.grpcstream.Hosts.address;
import static io.grpcstream.Hosts.await;
import static io.grpcstream.Hosts.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.CallOptions;
import io.grpc.ConnectivityState;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.crypto.PrivateKey;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class PeerChannelTest {
  private static final String PROTOCOL = Wire.PROTOCOL;

  private final Hosts hosts = new Hosts();
  private final Host caller = hosts.start(Hosts.TCP);
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

  private ManagedChannel to(Host peer) {
    return keep(PeerChannelBuilder.forAddress(caller, address(peer), PROTOCOL).build());
  }

  /** A host that answers each request with {@code name}. */
  private Host serve(String name) {
    return serve(name, hosts.start(Hosts.TCP));
  }

  private static Host serve(String name, Host host) {
    GrpcStream grpc =
        GrpcStream.builder().addService(Echo.service(request -> name)).build().serve();
    host.handle(PROTOCOL, grpc.handler());
    return host;
  }

  private Host serveAt(PrivateKey identity, String address) {
    return serve("again", hosts.start(builder -> builder.identity(identity).listen(address)));
  }

  private static ListenableFuture<String> waiting(ManagedChannel channel) {
    return ClientCalls.futureUnaryCall(
        channel.newCall(Echo.UNARY, CallOptions.DEFAULT.withWaitForReady()), "wait");
  }

  private static Status failureOf(ManagedChannel channel) {
    return Echo.failure(channel);
  }

  private static Multiaddr bare(Host host) {
    return address(host).withoutPeerId();
  }

  @Test
  void callsOfAllKinds() throws Exception {
    Host peer = hosts.start(Hosts.TCP);
    GrpcStream grpc = GrpcStream.builder().addService(Echo.service()).build().serve();
    peer.handle(PROTOCOL, grpc.handler());
    ManagedChannel channel = to(peer);

    assertThat(channel.getState(false)).isEqualTo(ConnectivityState.IDLE);
    assertThat(caller.connections()).isEmpty();
    assertThat(Echo.unary(channel, "1")).isEqualTo("1");
    assertThat(Echo.serverStream(channel, "2")).containsExactly("2", "2", "2");
    assertThat(Echo.clientStream(channel, "3", "4")).isEqualTo("34");
    Echo.Responses responses = new Echo.Responses();
    var call = Echo.bidi(channel, responses);
    call.onNext("5");
    assertThat(responses.next()).isEqualTo("5");
    call.onCompleted();
    responses.awaitEnd();
    assertThat(channel.getState(false)).isEqualTo(ConnectivityState.READY);
    assertThat(channel.authority()).isEqualTo(peer.peerId().toString());
  }

  @Test
  @DisplayName("Channels to one peer share its connection, which outlives them")
  void channelsShareTheConnection() throws Exception {
    Host peer = serve("a");
    ManagedChannel first = to(peer);
    ManagedChannel second = to(peer);
    assertThat(Echo.unary(first, "x") + Echo.unary(second, "x")).isEqualTo("aa");
    assertThat(caller.connections()).hasSize(1);
    assertThat(caller.connections().get(0).streams()).hasSize(2);
    first.shutdown();
    second.shutdown();
    assertThat(first.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
    assertThat(second.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
    eventually("its streams are over", () -> caller.connections().get(0).streams().isEmpty());
  }

  @Test
  @DisplayName("A peer that was away is called again when it is back")
  void peerComesBack() throws Exception {
    PrivateKey identity = PrivateKey.generateEd25519();
    Host before = serveAt(identity, Hosts.TCP);
    ManagedChannel channel = to(before);
    String where = bare(before).toString();
    assertThat(Echo.unary(channel, "x")).isEqualTo("again");
    await(before.shutdown(Duration.ZERO));
    eventually("it is gone", () -> caller.connections().isEmpty());
    assertThat(failureOf(channel).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(failureOf(channel).getDescription()).contains(before.peerId().toString(), where);
    ListenableFuture<String> waits = waiting(channel);
    serveAt(identity, where);
    assertThat(waits.get(60, TimeUnit.SECONDS)).isEqualTo("again");
  }

  @Test
  @DisplayName("round_robin spreads calls evenly, and over those that are left")
  void roundRobin() throws Exception {
    List<Host> peers = List.of(serve("a"), serve("b"), serve("c"));
    String target =
        peers.stream()
            .map(peer -> address(peer).toString())
            .collect(Collectors.joining(",", "libp2p:", "?protocol=" + PROTOCOL));
    ManagedChannel channel =
        keep(
            PeerChannelBuilder.forTarget(caller, target)
                .defaultLoadBalancingPolicy("round_robin")
                .build());
    eventually(
        "all are ready",
        () ->
            Echo.unary(channel, "x") != null
                && caller.connections().size() == 3
                && caller.connections().stream().allMatch(c -> c.streams().size() == 1));
    eventually(
        "30 calls are spread evenly",
        () -> spread(channel, 30).equals(Map.of("a", 10, "b", 10, "c", 10)));
    await(peers.get(0).shutdown(Duration.ZERO));
    eventually("it is gone", () -> caller.connections().size() == 2);
    eventually(
        "the others have its share", () -> spread(channel, 30).equals(Map.of("b", 15, "c", 15)));
  }

  private static Map<String, Integer> spread(ManagedChannel channel, int calls) {
    Map<String, Integer> spread = new TreeMap<>();
    for (int i = 0; i < calls; i++) {
      spread.merge(Echo.unary(channel, "x"), 1, Integer::sum);
    }
    return spread;
  }

  @Test
  @DisplayName("A peer of no known address is called over the connection that it makes itself")
  void peerConnectsByItself() throws Exception {
    Host peer = serve("a", hosts.start(builder -> builder));
    ManagedChannel channel =
        keep(PeerChannelBuilder.forPeer(caller, peer.peerId(), PROTOCOL).build());
    assertThat(failureOf(channel).getDescription())
        .contains(peer.peerId().toString(), "no address");
    ListenableFuture<String> waits = waiting(channel);
    await(peer.connect(address(caller)));
    assertThat(waits.get(60, TimeUnit.SECONDS)).isEqualTo("a");
    assertThat(caller.connections()).hasSize(1);
    assertThat(caller.connections().get(0).isInitiator()).isFalse();
  }

  @Test
  @DisplayName("Another peer at the address is UNAUTHENTICATED, and is asked only once")
  void anotherIdentity() throws Exception {
    Host impostor = serve("impostor");
    PrivateKey identity = PrivateKey.generateEd25519();
    PeerId wanted = PeerId.of(identity.publicKey());
    ManagedChannel channel =
        keep(
            PeerChannelBuilder.forAddress(caller, bare(impostor).withPeerId(wanted), PROTOCOL)
                .build());
    Status first = failureOf(channel);
    assertThat(first.getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
    assertThat(first.getDescription()).contains(wanted.toString(), impostor.peerId().toString());
    for (int i = 0; i < 3; i++) {
      channel.enterIdle(); // With the next call gRPC tries again, without its back-off.
      assertThat(failureOf(channel).getDescription()).isEqualTo(first.getDescription());
    }
    assertThat(mismatches()).isEqualTo(1);
    channel.resetConnectBackoff();
    eventually("the user's word counts", () -> mismatches() == 2);
    // Its own address is another one than that at which the impostor sits.
    Host real = serve("real", hosts.start(builder -> builder.identity(identity).listen(Hosts.TCP)));
    caller.addAddress(real.peerId(), bare(real));
    channel.enterIdle();
    assertThat(Echo.unary(channel, "x")).isEqualTo("real");
  }

  private long mismatches() {
    return caller.stats().refusals().getOrDefault(Refusal.PEER_ID_MISMATCH, 0L);
  }

  @Test
  @DisplayName("With its host, a channel ends, and so do calls that wait")
  void hostShutsDown() throws Exception {
    Host other = hosts.start(Hosts.TCP);
    PeerId nobody = PeerId.of(PrivateKey.generateEd25519().publicKey());
    ManagedChannel channel = PeerChannelBuilder.forPeer(other, nobody, PROTOCOL).build();
    ListenableFuture<String> waits = waiting(channel);
    await(other.shutdown(Duration.ofSeconds(5)));
    assertThatThrownBy(() -> waits.get(20, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .cause()
        .isInstanceOf(StatusRuntimeException.class)
        .hasMessageStartingWith("UNAVAILABLE")
        .hasMessageContaining(other.peerId().toString())
        .hasMessageContaining("shut down");
    assertThat(channel.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
    assertThat(failureOf(channel).getDescription()).contains("shut down");
  }

  @Test
  @DisplayName("A call that waited in vain for the first attempt to connect says to whom")
  void deadlineSaysWhom() throws Exception {
    PeerId silent = PeerId.of(PrivateKey.generateEd25519().publicKey());
    try (ServerSocket accepts = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String address = "/ip4/127.0.0.1/tcp/" + accepts.getLocalPort();
      ManagedChannel channel =
          keep(
              PeerChannelBuilder.forTarget(
                      caller, "libp2p:" + address + "/p2p/" + silent + "?protocol=" + PROTOCOL)
                  .build());
      Status late =
          Echo.failure(channel, CallOptions.DEFAULT.withDeadlineAfter(100, TimeUnit.MILLISECONDS));
      assertThat(late.getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
      assertThat(late.getDescription())
          .contains("still connecting to peer " + silent)
          .contains(address);
    }
  }

  @Test
  @DisplayName("A call that waited in vain says what the attempts to connect have met")
  void deadlineSaysWhy() {
    PeerId nobody = PeerId.of(PrivateKey.generateEd25519().publicKey());
    ManagedChannel channel =
        keep(
            PeerChannelBuilder.forTarget(
                    caller, "libp2p:/ip4/127.0.0.1/tcp/1/p2p/" + nobody + "?protocol=" + PROTOCOL)
                .build());
    assertThat(failureOf(channel).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    Status late =
        Echo.failure(
            channel,
            CallOptions.DEFAULT.withWaitForReady().withDeadlineAfter(100, TimeUnit.MILLISECONDS));
    assertThat(late.getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    assertThat(late.getDescription())
        .contains(nobody.toString(), "/ip4/127.0.0.1/tcp/1")
        .doesNotContain("\tat "); // No stack.
  }

  @Test
  void grpcsOwnBuilderOfChannels() {
    Host peer = serve("a");
    ManagedChannel channel =
        keep(
            Grpc.newChannelBuilder(
                    "libp2p://" + address(peer) + "?protocol=" + PROTOCOL,
                    PeerChannelCredentials.create(caller))
                .build());
    assertThat(Echo.unary(channel, "x")).isEqualTo("a");
    assertThatThrownBy(
            () ->
                Grpc.newChannelBuilder(
                    "libp2p:" + address(peer), io.grpc.InsecureChannelCredentials.create()))
        .hasMessageContaining("PeerChannelCredentials");
  }
}
