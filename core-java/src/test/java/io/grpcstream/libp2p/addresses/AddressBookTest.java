package io.grpcstream.libp2p.addresses;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.protocol.identify.Identify;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class AddressBookTest {
  private final AtomicLong now = new AtomicLong();
  private final List<String> dropped = new ArrayList<>();
  private final AddressBook book = new AddressBook(now::get, 1 << 20, dropped::add);
  private final AtomicInteger peers = new AtomicInteger();
  private final PeerId peer = newPeer();

  private PeerId newPeer() {
    int number = peers.incrementAndGet();
    return PeerId.fromBytes(
        ByteBuffer.allocate(6).put((byte) 0).put((byte) 4).putInt(number).array());
  }

  private static Multiaddr memory(int number) {
    return Multiaddr.parse("/memory/" + number);
  }

  private void told(PeerId teller, List<Multiaddr> addresses) {
    told(teller, addresses, AddressScope.MACHINE);
  }

  private void told(PeerId teller, List<Multiaddr> addresses, AddressScope met) {
    book.told(teller, new Identify(null, null, null, addresses, null, List.of()), met);
  }

  private static List<Multiaddr> parsed(String... texts) {
    return Stream.of(texts).map(Multiaddr::parse).toList();
  }

  private void pass(Duration time) {
    now.addAndGet(time.toNanos());
  }

  @Test
  void addedAddressesStayAndComeFirst() {
    book.connected(peer);
    told(peer, List.of(memory(3), memory(1)));
    book.reachedAt(peer, memory(2));
    book.add(peer, memory(1).withPeerId(peer));

    assertThat(book.addresses(peer)).containsExactly(memory(1), memory(2), memory(3));
    book.disconnected(peer);
    pass(AddressBook.KEEP);
    assertThat(book.addresses(peer)).containsExactly(memory(1));
  }

  @Test
  @DisplayName("An address of another peer is refused from the user, and ignored from the peer")
  void addressOfAnotherPeer() {
    Multiaddr foreign = memory(1).withPeerId(newPeer());
    assertThatIllegalArgumentException()
        .isThrownBy(() -> book.add(peer, foreign))
        .withMessageContaining(peer.toString());
    book.connected(peer);
    told(peer, List.of(foreign));
    assertThat(book.addresses(peer)).isEmpty();
  }

  @Test
  void whatAStrangerSaysIsNotKept() {
    told(peer, List.of(memory(1)));
    book.reachedAt(peer, memory(1));
    assertThat(book.addresses(peer)).isEmpty();
    book.connected(peer);
    book.disconnected(peer);
    assertThat(book.learnedPeers()).isZero();
  }

  @Test
  @DisplayName("What a peer said is kept a while after its end, and not longer")
  void wordOfAPeerThatHasEnded() {
    book.connected(peer);
    told(peer, List.of(memory(1)));
    book.disconnected(peer);
    told(peer, List.of(memory(2)));

    pass(AddressBook.KEEP.minusNanos(1));
    assertThat(book.addresses(peer)).containsExactly(memory(1));
    pass(Duration.ofNanos(1));
    assertThat(book.addresses(peer)).isEmpty();
    assertThat(book.learnedPeers()).isZero();
  }

  @Test
  void aPeerThatComesBackIsKeptOn() {
    book.connected(peer);
    told(peer, List.of(memory(1)));
    book.disconnected(peer);
    book.connected(peer);
    pass(AddressBook.KEEP.multipliedBy(2));
    assertThat(book.addresses(peer)).containsExactly(memory(1));
  }

  @Test
  void addressesOfOnePeerAreBounded() {
    List<Multiaddr> many = IntStream.rangeClosed(1, 100).mapToObj(i -> memory(i)).toList();
    book.connected(peer);
    told(peer, many);
    assertThat(book.addresses(peer)).hasSize(AddressBook.MAX_ADDRESSES_PER_PEER);

    many.forEach(address -> book.add(peer, address));
    assertThat(book.addresses(peer))
        .hasSize(2 * AddressBook.MAX_ADDRESSES_PER_PEER)
        .startsWith(memory(100 - AddressBook.MAX_ADDRESSES_PER_PEER + 1));
  }

  @Test
  @DisplayName("Peers that have gone give way before those that are here")
  void gonePeersGiveWayFirst() {
    book.connected(peer);
    told(peer, List.of(memory(1)));
    for (int i = 0; i < AddressBook.MAX_PEERS + 1_000; i++) {
      PeerId visitor = newPeer();
      book.connected(visitor);
      told(visitor, List.of(memory(2)));
      book.disconnected(visitor);
      book.add(visitor, memory(3));
    }
    assertThat(book.heapBytes()).isBetween((1L << 20) - 2_000, 1L << 20);
    assertThat(book.learnedPeers()).isLessThan(AddressBook.MAX_PEERS + 1_000);
    assertThat(book.addresses(peer)).containsExactly(memory(1));
    assertThat(dropped).isEmpty();
  }

  /** As large as the codec lets it be. */
  private static Identify fullPage(int seed) {
    String host = "/ip4/192.0.2.1".repeat(31);
    List<Multiaddr> addresses =
        IntStream.range(0, 20)
            .mapToObj(i -> Multiaddr.parse(host + "/tcp/" + i + "/tcp/" + seed))
            .toList();
    List<String> protocols = IntStream.range(0, 240).mapToObj(i -> "/" + seed + "/" + i).toList();
    return new Identify("v".repeat(256), "a".repeat(256), null, addresses, null, protocols);
  }

  @Test
  @DisplayName("A kept peer that has gone gives way neither to strangers nor to time")
  void aKeptPeerStays() {
    book.connected(peer);
    book.reachedAt(peer, memory(1));
    book.disconnected(peer);
    book.keep(peer);
    for (int i = 0; i < 5_000; i++) {
      PeerId visitor = newPeer();
      book.connected(visitor);
      told(visitor, List.of(memory(2)));
      book.disconnected(visitor);
    }
    pass(AddressBook.KEEP.multipliedBy(3));
    assertThat(book.addresses(peer)).containsExactly(memory(1));
    assertThat(book.learnedPeers()).isEqualTo(1);

    book.release(peer);
    pass(AddressBook.KEEP.minusNanos(1));
    assertThat(book.addresses(peer)).containsExactly(memory(1));
    pass(Duration.ofNanos(1));
    assertThat(book.addresses(peer)).isEmpty();
    assertThat(book.heapBytes()).isZero();
  }

  @Test
  void whateverPeersTellTheBookStaysWithinItsBytes() {
    List<PeerId> connected = new ArrayList<>();
    for (int i = 0; i < 120; i++) {
      PeerId stranger = newPeer();
      book.connected(stranger);
      for (int push = 0; push < 3; push++) {
        book.told(stranger, fullPage(i), AddressScope.ANYWHERE);
        assertThat(book.heapBytes()).isLessThanOrEqualTo(1 << 20);
      }
      told(stranger, parsed("/dns4/a.example/tcp/1"), AddressScope.ANYWHERE);
      if (i % 2 == 0) {
        book.disconnected(stranger);
      } else {
        connected.add(stranger);
      }
    }
    connected.forEach(book::disconnected);
    pass(AddressBook.KEEP);
    assertThat(book.learnedPeers()).isZero();
    assertThat(book.heapBytes()).isZero();
  }

  @Test
  @DisplayName("Connected peers that told nothing take no room from those that told")
  void peersThatToldNothingTakeNoRoom() {
    AddressBook small = new AddressBook(now::get, 10_000, dropped::add);
    small.connected(peer);
    small.told(
        peer,
        new Identify(null, "a/1", null, parsed("/ip4/192.0.2.7/tcp/1"), null, List.of()),
        AddressScope.ANYWHERE);
    for (int i = 0; i < 100; i++) {
      small.connected(newPeer());
    }
    assertThat(small.info(peer)).isNotNull();
    assertThat(dropped).isEmpty();
  }

  @Test
  @DisplayName("The connected peer that tells most loses what it told first")
  void peerThatTellsMostLosesFirst() {
    Identify modest =
        new Identify(null, "honest/1", null, parsed("/ip4/192.0.2.7/tcp/1"), null, List.of("/x"));
    book.connected(peer);
    book.told(peer, modest, AddressScope.ANYWHERE);
    List<PeerId> greedy = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      greedy.add(newPeer());
      book.connected(greedy.get(i));
      book.told(greedy.get(i), fullPage(i), AddressScope.ANYWHERE);
    }

    assertThat(book.heapBytes()).isLessThanOrEqualTo(1 << 20);
    assertThat(book.info(peer)).isNotNull();
    assertThat(book.info(peer).agentVersion()).isEqualTo("honest/1");
    assertThat(book.addresses(peer)).isEqualTo(modest.listenAddresses());
    assertThat(greedy).anyMatch(stranger -> book.info(stranger) == null);
    assertThat(dropped)
        .isNotEmpty()
        .allMatch(
            line ->
                line.contains("1,048,576")
                    && greedy.stream().anyMatch(p -> line.contains(p.toString())));
  }

  @Test
  @DisplayName("Addresses that cannot be dialled are left out before the others are counted")
  void undiallableAddressesDoNotCount() {
    List<Multiaddr> addresses = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      addresses.add(Multiaddr.parse("/ip4/192.0.2.1/udp/" + (4_000 + i) + "/quic-v1"));
    }
    Multiaddr tcp = Multiaddr.parse("/ip4/192.0.2.1/tcp/4001");
    addresses.add(tcp);
    book.connected(peer);
    told(peer, addresses);

    assertThat(book.addresses(peer)).containsExactly(tcp);
    assertThat(book.info(peer).listenAddresses()).hasSize(41);
  }

  @Test
  void aPeersOwnIdAloneIsNoAddress() {
    Multiaddr self = Multiaddr.parse("/p2p/" + peer);
    book.connected(peer);
    told(peer, List.of(self, memory(1)));
    assertThat(book.addresses(peer)).containsExactly(memory(1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> book.add(peer, self))
        .withMessageContaining("not where");
  }

  @Test
  @DisplayName("A peer's word counts for addresses of its own scope and of wider ones")
  void scopeOfAPeersWord() {
    List<Multiaddr> all =
        parsed(
            "/ip6/::ffff:127.0.0.1/tcp/1",
            "/memory/1",
            "/ip4/10.0.0.1/tcp/1",
            "/ip4/198.51.100.1/tcp/1",
            "/dns4/localhost/tcp/1");
    book.connected(peer);
    told(peer, all, AddressScope.MACHINE);
    assertThat(book.addresses(peer)).isEqualTo(all);
    told(peer, all, AddressScope.SITE);
    assertThat(book.addresses(peer)).isEqualTo(all.subList(2, 5));
    told(peer, all, AddressScope.ANYWHERE);
    assertThat(book.addresses(peer)).isEqualTo(all.subList(3, 5));
    assertThat(book.toDial(peer)).allMatch(found -> found.least() == AddressScope.ANYWHERE);
  }

  @Test
  @DisplayName("Addresses that failed go behind the others until they work again")
  void failedAddressesGoBehind() {
    book.add(peer, memory(1));
    book.add(peer, memory(2));
    book.connected(peer);
    told(peer, List.of(memory(3)));

    book.failedAt(peer, memory(1));
    book.failedAt(peer, memory(2));
    assertThat(book.addresses(peer)).containsExactly(memory(3), memory(1), memory(2));
    book.failedAt(peer, memory(1));
    assertThat(book.addresses(peer)).containsExactly(memory(3), memory(2), memory(1));
    book.worked(peer, memory(2));
    assertThat(book.addresses(peer)).containsExactly(memory(2), memory(3), memory(1));
    book.reachedAt(peer, memory(1));
    assertThat(book.addresses(peer)).containsExactly(memory(1), memory(2), memory(3));
    book.failedAt(peer, memory(2));
    book.add(peer, memory(2));
    assertThat(book.addresses(peer)).containsExactly(memory(1), memory(2), memory(3));
  }

  @Test
  void aRemovedAddressIsForgottenWhoeverGaveIt() {
    book.connected(peer);
    book.add(peer, memory(1));
    book.reachedAt(peer, memory(2));
    told(peer, List.of(memory(3), memory(4)));
    for (int i = 1; i <= 3; i++) {
      assertThat(book.remove(peer, memory(i).withPeerId(peer))).isTrue();
      assertThat(book.remove(peer, memory(i))).isFalse();
    }
    assertThat(book.addresses(peer)).containsExactly(memory(4));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> book.remove(peer, memory(4).withPeerId(newPeer())));
  }
}
