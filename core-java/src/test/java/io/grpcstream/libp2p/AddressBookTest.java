package io.grpcstream.libp2p;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.grpcstream.libp2p.crypto.PrivateKey;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class AddressBookTest {
  private final AtomicLong now = new AtomicLong();
  private final AddressBook book = new AddressBook(now::get);
  private final PeerId peer = newPeer();

  private static PeerId newPeer() {
    return PeerId.of(PrivateKey.generateEd25519().publicKey());
  }

  private static Multiaddr memory(int number) {
    return Multiaddr.parse("/memory/" + number);
  }

  private void pass(Duration time) {
    now.addAndGet(time.toNanos());
  }

  @Test
  void addedAddressesStayAndComeFirst() {
    book.connected(peer);
    book.told(peer, List.of(memory(3), memory(1)));
    book.reachedAt(peer, memory(2));
    book.add(peer, memory(1).withPeerId(peer));

    assertThat(book.addresses(peer)).containsExactly(memory(1), memory(2), memory(3));
    book.disconnected(peer);
    pass(AddressBook.KEEP);
    assertThat(book.addresses(peer)).containsExactly(memory(1));
  }

  @Test
  void anAddressOfAnotherPeerIsRefusedFromTheUserAndIgnoredFromThePeer() {
    Multiaddr foreign = memory(1).withPeerId(newPeer());
    assertThatIllegalArgumentException()
        .isThrownBy(() -> book.add(peer, foreign))
        .withMessageContaining(peer.toString());
    book.connected(peer);
    book.told(peer, List.of(foreign));
    assertThat(book.addresses(peer)).isEmpty();
  }

  @Test
  void whatAStrangerSaysIsNotKept() {
    book.told(peer, List.of(memory(1)));
    book.reachedAt(peer, memory(1));
    assertThat(book.addresses(peer)).isEmpty();
    book.connected(peer);
    book.disconnected(peer);
    assertThat(book.learnedPeers()).isZero();
  }

  @Test
  void whatAPeerSaidIsKeptAWhileAfterItsEndAndNotLonger() {
    book.connected(peer);
    book.told(peer, List.of(memory(1)));
    book.disconnected(peer);
    book.told(peer, List.of(memory(2)));

    pass(AddressBook.KEEP.minusNanos(1));
    assertThat(book.addresses(peer)).containsExactly(memory(1));
    pass(Duration.ofNanos(1));
    assertThat(book.addresses(peer)).isEmpty();
    assertThat(book.learnedPeers()).isZero();
  }

  @Test
  void aPeerThatComesBackIsKeptOn() {
    book.connected(peer);
    book.told(peer, List.of(memory(1)));
    book.disconnected(peer);
    book.connected(peer);
    pass(AddressBook.KEEP.multipliedBy(2));
    assertThat(book.addresses(peer)).containsExactly(memory(1));
  }

  @Test
  void addressesOfOnePeerAreBounded() {
    List<Multiaddr> many = IntStream.rangeClosed(1, 100).mapToObj(i -> memory(i)).toList();
    book.connected(peer);
    book.told(peer, many);
    assertThat(book.addresses(peer)).hasSize(AddressBook.MAX_ADDRESSES_PER_PEER);

    many.forEach(address -> book.add(peer, address));
    assertThat(book.addresses(peer))
        .hasSize(2 * AddressBook.MAX_ADDRESSES_PER_PEER)
        .startsWith(memory(100 - AddressBook.MAX_ADDRESSES_PER_PEER + 1));
  }

  @Test
  void peersAreBoundedAndThoseThatHaveGoneGiveWayFirst() {
    book.connected(peer);
    book.told(peer, List.of(memory(1)));
    for (int i = 0; i < AddressBook.MAX_PEERS + 10; i++) {
      PeerId visitor = newPeer();
      book.connected(visitor);
      book.told(visitor, List.of(memory(2)));
      book.disconnected(visitor);
      book.add(visitor, memory(3));
    }
    assertThat(book.learnedPeers()).isEqualTo(AddressBook.MAX_PEERS);
    assertThat(book.addresses(peer)).containsExactly(memory(1));
  }
}
