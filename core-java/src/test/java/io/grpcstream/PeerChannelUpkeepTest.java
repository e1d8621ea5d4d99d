package io.grpcstream;

import static io.grpcstream.Hosts.address;
import static io.grpcstream.Hosts.await;
import static io.grpcstream.Hosts.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpcstream.libp2p.ConnectionManager;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.HostStats;
import io.grpcstream.libp2p.Registration;
import io.grpcstream.libp2p.crypto.PrivateKey;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Channels to peers whose connections are closed while nobody uses them. */
@Timeout(120)
class PeerChannelUpkeepTest {
  private static final Duration SOON = Duration.ofMillis(50);

  private final Hosts hosts = new Hosts();

  @AfterEach
  void close() {
    hosts.close();
  }

  private Host idling() {
    return hosts.start(
        builder ->
            builder
                .listen(Hosts.TCP)
                .connectionManager(ConnectionManager.builder().idleTimeout(SOON).build()));
  }

  private Host serving(Host host) {
    GrpcStream grpc = GrpcStream.builder().addService(Echo.service()).build().serve();
    host.handle(Wire.PROTOCOL, grpc.handler());
    return host;
  }

  private static void end(ManagedChannel channel) throws InterruptedException {
    channel.shutdownNow();
    assertThat(channel.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
  }

  private static void idleAndCallAgain(Host caller, Host peer, Host closing) throws Exception {
    ManagedChannel channel =
        PeerChannelBuilder.forAddress(caller, address(peer), Wire.PROTOCOL).build();
    for (int i = 1; i <= 3; i++) {
      long closed = i;
      assertThat(Echo.unary(channel, "x" + i)).isEqualTo("x" + i);
      channel.enterIdle(); // As it does by itself after its idle timeout.
      eventually("idle", () -> channel.getState(false) == ConnectivityState.IDLE);
      eventually(
          () -> "its connection is closed: " + closing.stats(),
          () ->
              closing.stats().upkeep().idleClosed() == closed
                  && caller.connections().isEmpty()
                  && peer.connections().isEmpty());
    }
    end(channel);
  }

  @Test
  @DisplayName("A channel whose idle connection this host has closed redials with the next call")
  void redialsAfterTheCallersEnd() throws Exception {
    Host caller = idling();
    idleAndCallAgain(caller, serving(hosts.start(Hosts.TCP)), caller);
  }

  @Test
  @DisplayName("A channel whose idle connection the peer has closed redials with the next call")
  void redialsAfterThePeersEnd() throws Exception {
    Host peer = serving(idling());
    idleAndCallAgain(hosts.start(Hosts.TCP), peer, peer);
  }

  @Test
  @DisplayName("A channel that has a transport keeps its connection, though nothing is called")
  void aTransportIsUse() throws Exception {
    Host caller = idling();
    Host peer = serving(hosts.start(Hosts.TCP));
    ManagedChannel channel =
        PeerChannelBuilder.forAddress(caller, address(peer), Wire.PROTOCOL).build();
    assertThat(Echo.unary(channel, "x")).isEqualTo("x");
    for (int i = 1; i <= 3; i++) {
      long closed = i;
      await(caller.connect(address(hosts.start(Hosts.TCP))));
      eventually("others go", () -> caller.stats().upkeep().idleClosed() == closed);
    }
    assertThat(caller.connections(peer.peerId())).hasSize(1);
    assertThat(channel.getState(false)).isEqualTo(ConnectivityState.READY);
    end(channel);
    eventually("now it goes", () -> caller.connections().isEmpty());
  }

  @Test
  @DisplayName("A channel to a peer that is kept connected needs no dial of its own")
  void callsOverAKeptConnection() throws Exception {
    PrivateKey identity = PrivateKey.generateEd25519();
    Host peer = serving(hosts.start(builder -> builder.identity(identity).listen(Hosts.TCP)));
    Host caller = idling();
    Registration kept = caller.keepConnected(peer.peerId(), List.of(address(peer)));
    eventually("it is connected", () -> !caller.connections(peer.peerId()).isEmpty());
    ManagedChannel channel =
        PeerChannelBuilder.forPeer(caller, peer.peerId(), Wire.PROTOCOL).build();
    assertThat(Echo.unary(channel, "x")).isEqualTo("x");
    assertThat(caller.stats().upkeep()).isEqualTo(new HostStats.Upkeep(0, 0, 1, 1, 1));
    assertThat(caller.connections()).hasSize(1);
    end(channel);
    kept.close();
    eventually("then it goes, as others do", () -> caller.connections().isEmpty());
  }
}
