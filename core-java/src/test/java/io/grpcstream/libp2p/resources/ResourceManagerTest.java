package io.grpcstream.libp2p.resources;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpcstream.libp2p.HostStats;
import io.grpcstream.libp2p.LimitExceededException;
import io.grpcstream.libp2p.Limits;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.libp2p.resources.ResourceManager.ConnectionSlot;
import io.grpcstream.libp2p.resources.ResourceManager.StreamSlot;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@SuppressWarnings("AddressSelection") // Literal addresses: nothing is looked up.
class ResourceManagerTest {
  private static final InetSocketAddress LOOPBACK = new InetSocketAddress("127.0.0.1", 1);

  private final PeerId peer = PeerId.of(PrivateKey.generateEd25519().publicKey());
  private final PeerId other = PeerId.of(PrivateKey.generateEd25519().publicKey());
  private final Refusals refusals = new Refusals(peer);

  private ResourceManager manager(Limits.Builder limits) {
    return new ResourceManager(limits.build(), refusals, Map.of("/few/1", 1));
  }

  private void assertRefused(Refusal refusal, int limit, ThrowingCallable call) {
    long before = refusals.counts().getOrDefault(refusal, 0L);
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            LimitExceededException.class, e -> assertThat(e.refusal()).isEqualTo(refusal))
        .hasMessageContaining("limit of " + limit + " ");
    assertThat(refusals.counts()).containsEntry(refusal, before + 1);
  }

  @Test
  void connectionsInAllAreCountedInBothDirections() throws Exception {
    ResourceManager manager = manager(Limits.builder().connections(2));
    ConnectionSlot first = manager.inboundConnection(LOOPBACK);
    manager.outboundConnection("x");

    assertRefused(Refusal.CONNECTIONS, 2, () -> manager.outboundConnection("x"));
    assertRefused(Refusal.CONNECTIONS, 2, () -> manager.inboundConnection(LOOPBACK));

    first.release();
    manager.inboundConnection(LOOPBACK);
  }

  @Test
  void aConnectionIsPendingUntilItsPeerIsProven() throws Exception {
    ResourceManager manager = manager(Limits.builder().pendingInboundConnections(1));
    ConnectionSlot first = manager.inboundConnection(LOOPBACK);
    assertRefused(Refusal.PENDING_CONNECTIONS, 1, () -> manager.inboundConnection(LOOPBACK));

    first.setPeer(peer);
    ConnectionSlot second = manager.inboundConnection(LOOPBACK);
    second.release();

    assertThat(manager.stats().pendingInboundConnections()).isZero();
    assertThat(manager.stats().inboundConnections()).isEqualTo(1);
  }

  @Test
  void onePeerHasSoManyConnectionsInBothDirections() throws Exception {
    ResourceManager manager = manager(Limits.builder().connectionsPerPeer(2));
    manager.inboundConnection(LOOPBACK).setPeer(peer);
    ConnectionSlot second = manager.outboundConnection("x");
    second.setPeer(peer);
    ConnectionSlot third = manager.outboundConnection("x");

    assertRefused(Refusal.CONNECTIONS_PER_PEER, 2, () -> third.setPeer(peer));
    third.release();
    manager.outboundConnection("x").setPeer(other);
    second.release();
    manager.outboundConnection("x").setPeer(peer);
  }

  @Test
  @DisplayName("One address has so many connections, and an IPv6 block is one address")
  void connectionsOfOneAddress() throws Exception {
    ResourceManager manager = manager(Limits.builder().connectionsPerAddress(1));
    ConnectionSlot first = manager.inboundConnection(new InetSocketAddress("192.0.2.1", 1));
    manager.inboundConnection(new InetSocketAddress("192.0.2.2", 1));
    manager.inboundConnection(new InetSocketAddress("2001:db8:0:1200::1", 1));
    manager.inboundConnection(new InetSocketAddress("2001:db8:0:1300::1", 1));

    assertRefused(
        Refusal.CONNECTIONS_PER_ADDRESS,
        1,
        () -> manager.inboundConnection(new InetSocketAddress("192.0.2.1", 2)));
    assertRefused(
        Refusal.CONNECTIONS_PER_ADDRESS,
        1,
        () -> manager.inboundConnection(new InetSocketAddress("2001:db8:0:12ff::9", 1)));

    first.release();
    manager.inboundConnection(new InetSocketAddress("192.0.2.1", 3));
    manager.inboundConnection(LOOPBACK);
    manager.inboundConnection(LOOPBACK);
    manager.inboundConnection(new InetSocketAddress("::1", 1));
    manager.inboundConnection(new InetSocketAddress("::1", 2));
  }

  @Test
  void streamsAreCountedInAllPerPeerAndPerProtocol() throws Exception {
    ResourceManager manager =
        manager(
            Limits.builder()
                .inboundStreams(3)
                .inboundStreamsPerPeer(2)
                .inboundStreamsPerProtocol(1)
                .outboundStreams(3)
                .outboundStreamsPerPeer(2)
                .outboundStreamsPerProtocol(1));
    for (boolean inbound : new boolean[] {true, false}) {
      StreamSlot first = manager.stream(peer, inbound);
      StreamSlot second = manager.stream(peer, inbound);
      first.setProtocol("/a/1");
      assertRefused(Refusal.STREAMS_PER_PROTOCOL, 1, () -> second.setProtocol("/a/1"));
      second.setProtocol("/b/1");
      assertRefused(Refusal.STREAMS_PER_PEER, 2, () -> manager.stream(peer, inbound));
      manager.stream(other, inbound);
      assertRefused(Refusal.STREAMS, 3, () -> manager.stream(other, inbound));
      first.release();
      manager.stream(peer, inbound).setProtocol("/a/1");
    }
  }

  @Test
  @DisplayName("Inbound streams without a protocol have a limit of their own")
  void inboundStreamsWithoutAProtocol() throws Exception {
    ResourceManager manager = manager(Limits.builder().pendingInboundStreams(1));
    StreamSlot first = manager.stream(peer, true);
    assertRefused(Refusal.PENDING_STREAMS, 1, () -> manager.stream(peer, true));

    first.setProtocol("/a/1");
    StreamSlot second = manager.stream(peer, true);
    second.release();
    manager.stream(peer, true);
  }

  @Test
  void aProtocolCanHaveALowerLimit() throws Exception {
    ResourceManager manager = manager(Limits.builder());
    manager.stream(peer, true).setProtocol("/few/1");
    StreamSlot second = manager.stream(peer, true);

    assertRefused(Refusal.STREAMS_PER_PROTOCOL, 1, () -> second.setProtocol("/few/1"));
    manager.stream(peer, false).setProtocol("/few/1");
    manager.stream(peer, false).setProtocol("/few/1");
  }

  @Test
  @DisplayName("Releasing twice releases once, and nothing is kept of a peer that is gone")
  void releasingTwiceReleasesOnce() throws Exception {
    ResourceManager manager = manager(Limits.builder());
    List<Runnable> releases = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      ConnectionSlot inbound = manager.inboundConnection(new InetSocketAddress("192.0.2.1", 1));
      inbound.setPeer(peer);
      ConnectionSlot pending = manager.inboundConnection(LOOPBACK);
      ConnectionSlot outbound = manager.outboundConnection("x");
      outbound.setPeer(other);
      StreamSlot negotiating = manager.stream(peer, true);
      StreamSlot agreed = manager.stream(peer, true);
      agreed.setProtocol("/a/1");
      StreamSlot out = manager.stream(other, false);
      out.setProtocol("/a/1");
      releases.addAll(
          List.of(
              inbound::release,
              pending::release,
              outbound::release,
              negotiating::release,
              agreed::release,
              out::release));
    }
    assertThat(manager.peerCount()).isEqualTo(2);

    releases.forEach(Runnable::run);
    releases.forEach(Runnable::run);

    assertThat(manager.stats()).isEqualTo(new HostStats(0, 0, 0, 0, 0, 0, 0, Map.of()));
    assertThat(manager.peerCount()).isZero();
  }

  @Test
  @DisplayName("One address cannot hold all places of connections that have proved no peer")
  void unprovenConnectionsOfOneAddress() throws Exception {
    ResourceManager manager =
        manager(Limits.builder().pendingInboundConnections(80).connectionsPerAddress(1_000));
    InetSocketAddress one = new InetSocketAddress("192.0.2.1", 1);
    List<ConnectionSlot> slots = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      slots.add(manager.inboundConnection(one));
    }
    assertRefused(Refusal.PENDING_CONNECTIONS, 10, () -> manager.inboundConnection(one));
    manager.inboundConnection(new InetSocketAddress("192.0.2.2", 1));

    slots.get(0).setPeer(peer);
    slots.get(1).release();
    manager.inboundConnection(one);
    manager.inboundConnection(one).release();
    slots.get(0).release();
    manager.inboundConnection(one);
    assertRefused(Refusal.PENDING_CONNECTIONS, 10, () -> manager.inboundConnection(one));
  }

  /** The recipe of the README. */
  @Test
  @DisplayName("A gateway takes all devices behind one address, also if they come at once")
  void gatewayTakesAllDevicesAtOnce() throws Exception {
    ResourceManager manager =
        manager(
            Limits.builder()
                .connections(20_000)
                .connectionsPerAddress(10_000)
                .pendingInboundConnections(4_096)
                .inboundStreams(20_000));
    InetSocketAddress nat = new InetSocketAddress("192.0.2.1", 1);
    List<ConnectionSlot> atOnce = new ArrayList<>();
    for (int device = 0; device < 10_000; device++) {
      atOnce.add(manager.inboundConnection(nat));
      if (atOnce.size() == 512) {
        prove(atOnce, device);
      }
    }
    prove(atOnce, 10_000);
    assertThat(manager.stats().inboundConnections()).isEqualTo(10_000);
    assertRefused(Refusal.CONNECTIONS_PER_ADDRESS, 10_000, () -> manager.inboundConnection(nat));
  }

  /** Each connection turns out to be another peer's. */
  private static void prove(List<ConnectionSlot> slots, int seed) throws LimitExceededException {
    for (int i = 0; i < slots.size(); i++) {
      byte[] id = {0, 4, (byte) (seed >> 8), (byte) seed, (byte) (i >> 8), (byte) i};
      slots.get(i).setPeer(PeerId.fromBytes(id));
    }
    slots.clear();
  }
}
