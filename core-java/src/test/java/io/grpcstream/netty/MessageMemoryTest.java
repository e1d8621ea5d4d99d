package io.grpcstream.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.crypto.PrivateKey;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MessageMemoryTest {
  private static final long MIB = 1 << 20;

  /** Eight messages of {@link #LONG} for peers that have one each; four of them are the share. */
  private static final long ROOM = 32 * MIB;

  private static final long LONG = 4 * MIB;

  private final PeerBudgets budgets = new PeerBudgets(1_000, 2 * ROOM);
  private final MessageMemory room = budgets.room;

  /** The event loop of all streams; runs when a test says so. */
  private final Queue<Runnable> loop = new ArrayDeque<>();

  private PeerBudget peer() {
    return budgets.open(PeerId.of(PrivateKey.generateEd25519().publicKey()));
  }

  /** A stream of a peer that waits, and takes its room when its event loop comes to that. */
  private final class Waiter {
    final PeerBudget peer;
    final MessageMemory.Place place;
    boolean taken;

    Waiter(PeerBudget peer, long bytes, Executor executor) {
      this.peer = peer;
      place = room.await(peer, bytes, executor, () -> taken |= take());
    }

    private boolean take() {
      return room.take(place);
    }
  }

  private Waiter await(PeerBudget peer, long bytes) {
    return new Waiter(peer, bytes, loop::add);
  }

  private void runLoop() {
    for (Runnable task; (task = loop.poll()) != null; ) {
      task.run();
    }
  }

  private boolean runLoopUntilTaken(Waiter waiter) {
    runLoop();
    return waiter.taken;
  }

  /** So many peers that have one long message each. */
  private Deque<PeerBudget> holders(int peers) {
    Deque<PeerBudget> holders = new ArrayDeque<>();
    for (int i = 0; i < peers; i++) {
      PeerBudget holder = peer();
      assertThat(room.reserve(holder, LONG)).isTrue();
      holders.add(holder);
    }
    return holders;
  }

  // --- room --------------------------------------------------------------------------------------

  @Test
  @DisplayName("A peer that has reserved nothing gets one message, also beside greedy ones")
  void oneMessageBesideGreedyPeers() {
    for (int i = 0; i < 6; i++) {
      PeerBudget greedy = peer();
      while (room.reserve(greedy, MIB)) {
        assertThat(greedy.reserved).isLessThanOrEqualTo(ROOM / 2);
      }
    }
    assertThat(room.reserve(peer(), LONG)).isTrue();
  }

  @Test
  @DisplayName("A message longer than all room is taken while there is no other")
  void messageLongerThanAllRoom() {
    PeerBudget peer = peer();
    assertThat(room.reserve(peer, 2 * ROOM)).isTrue();
    assertThat(room.reserve(peer, 1)).isFalse();
    room.release(peer, 2 * ROOM);
    assertThat(room.reserve(peer, 1)).isTrue();
  }

  // --- turns -------------------------------------------------------------------------------------

  @Test
  @DisplayName("A peer that waits is not overtaken by one that is done and asks again at once")
  void waitingPeerIsNotOvertaken() {
    Deque<PeerBudget> others = holders(8);
    PeerBudget honest = peer();
    assertThat(room.reserve(honest, LONG)).isFalse();
    Waiter waiter = await(honest, LONG);
    runLoop();
    assertThat(waiter.taken).isFalse();
    PeerBudget other = others.remove();
    room.release(other, LONG);
    assertThat(room.reserve(other, LONG)).isFalse(); // Before the other loop has come to anything.
    assertThat(runLoopUntilTaken(waiter)).isTrue();
  }

  @Test
  @DisplayName("Room collects for a long message while short ones keep coming")
  void longMessageBesideShortOnes() {
    Deque<PeerBudget> others = holders(8);
    Waiter honest = await(peer(), 3 * LONG);
    for (int ended = 1; ended <= 3; ended++) {
      assertThat(runLoopUntilTaken(honest)).isFalse();
      room.release(others.remove(), LONG);
      for (int i = 0; i < 10; i++) {
        assertThat(room.reserve(peer(), 64 << 10)).as("a newcomer").isFalse();
      }
      assertThat(room.reserve(others.element(), 64 << 10)).as("one that has some").isFalse();
    }
    assertThat(runLoopUntilTaken(honest)).isTrue();
  }

  @Test
  void peersTakeTurnsHoweverManyStreamsOneOfThemHas() {
    Deque<PeerBudget> others = holders(8);
    PeerBudget greedy = peer();
    List<Waiter> many = new ArrayList<>();
    for (int stream = 0; stream < 100; stream++) {
      many.add(await(greedy, LONG));
    }
    Waiter second = await(peer(), LONG);
    Waiter third = await(peer(), LONG);
    room.release(others.remove(), LONG);
    assertThat(runLoopUntilTaken(many.get(0))).isTrue();
    room.release(others.remove(), LONG);
    assertThat(runLoopUntilTaken(second)).isTrue();
    // The greedy one is done with its first, and has its next turn behind all who wait.
    room.release(greedy, LONG);
    assertThat(runLoopUntilTaken(third)).isTrue();
    assertThat(many.stream().filter(waiter -> waiter.taken)).hasSize(1);
    room.release(others.remove(), LONG);
    assertThat(runLoopUntilTaken(many.get(1))).as("streams of a peer, in their order").isTrue();
  }

  @Test
  @DisplayName("A peer that wants more than it has holds nobody up, and gets its turn all the same")
  void peerThatWantsMoreHoldsNobodyUp() {
    PeerBudget greedy = peer();
    assertThat(room.reserve(greedy, LONG)).isTrue();
    assertThat(room.reserve(greedy, LONG)).isTrue();
    Waiter more = await(greedy, LONG);
    Deque<PeerBudget> others = holders(6); // Who all overtake it.
    assertThat(runLoopUntilTaken(more)).isFalse();
    room.release(greedy, LONG);
    assertThat(runLoopUntilTaken(more)).as("its share is taken").isFalse();
    assertThat(room.reserve(peer(), LONG)).isTrue();
    room.release(greedy, LONG);
    assertThat(runLoopUntilTaken(more)).as("it has nothing now").isTrue();
    assertThat(others).hasSize(6);
  }

  @Test
  void aPeerGetsMoreOnceItsShareAllowsThat() {
    PeerBudget first = peer();
    assertThat(room.reserve(first, LONG)).isTrue();
    PeerBudget other = peer();
    assertThat(room.reserve(other, 2 * LONG)).isTrue();
    Waiter more = await(first, LONG);
    assertThat(runLoopUntilTaken(more)).isFalse();
    room.release(other, 2 * LONG);
    assertThat(runLoopUntilTaken(more)).isTrue();
  }

  // --- who leaves --------------------------------------------------------------------------------

  @Test
  @DisplayName("What needs all of the room gets it, and those behind it go on as soon as it leaves")
  void needForAllOfTheRoom() {
    Deque<PeerBudget> others = holders(1);
    Waiter huge = await(peer(), 10 * ROOM);
    Waiter behind = await(peer(), LONG);
    assertThat(runLoopUntilTaken(behind)).isFalse();
    room.leave(huge.place);
    assertThat(runLoopUntilTaken(behind)).isTrue();

    Waiter again = await(huge.peer, 10 * ROOM);
    Waiter last = await(peer(), LONG);
    room.release(others.remove(), LONG);
    assertThat(runLoopUntilTaken(again)).isFalse();
    room.release(behind.peer, LONG);
    assertThat(runLoopUntilTaken(again)).isTrue();
    assertThat(last.taken).isFalse();
    room.release(huge.peer, 10 * ROOM);
    assertThat(runLoopUntilTaken(last)).isTrue();
  }

  @Test
  void whoLeavesWithWhatItWasGivenGivesItBack() {
    Deque<PeerBudget> others = holders(8);
    Waiter first = await(peer(), LONG);
    Waiter second = await(peer(), LONG);
    room.release(others.remove(), LONG);
    room.leave(first.place); // Its event loop has not come to taking it.
    room.leave(first.place); // Nothing more comes of leaving twice.
    runLoop();
    assertThat(first.taken).isFalse();
    assertThat(second.taken).isTrue();
    assertThat(first.peer.reserved).isZero();
  }

  @Test
  void whoseEventLoopIsGoneIsPassedOver() {
    Deque<PeerBudget> others = holders(8);
    Executor gone =
        task -> {
          throw new RejectedExecutionException("shut down");
        };
    List<Waiter> dead = new ArrayList<>();
    for (int i = 0; i < 10_000; i++) {
      dead.add(new Waiter(i < 10 ? peer() : dead.get(i % 10).peer, LONG, gone));
    }
    Waiter honest = await(peer(), LONG);
    room.release(others.remove(), LONG);
    assertThat(runLoopUntilTaken(honest)).isTrue();
    assertThat(dead).noneMatch(waiter -> waiter.taken);
    assertThat(dead).allMatch(waiter -> waiter.peer.reserved == 0);
  }

  @Test
  @DisplayName("A peer whose first message is given up keeps its turn for the next")
  void turnOfAMessageGivenUp() {
    Deque<PeerBudget> others = holders(8);
    Waiter first = await(peer(), LONG);
    Waiter other = await(peer(), LONG);
    Waiter next = await(first.peer, LONG);
    room.leave(first.place);
    room.release(others.remove(), LONG);
    assertThat(runLoopUntilTaken(next)).isTrue();
    assertThat(other.taken).isFalse();
  }

  // --- who has to go on --------------------------------------------------------------------------

  @Test
  @DisplayName("Room is short for all when a peer waits for its turn, and else for who wants more")
  void forWhomRoomIsShort() {
    PeerBudget slow = peer();
    assertThat(room.reserve(slow, LONG)).isTrue();
    PeerBudget greedy = peer();
    assertThat(room.reserve(greedy, LONG)).isTrue();
    assertThat(room.isShort(slow)).isFalse();
    Waiter more = await(greedy, 2 * LONG);
    assertThat(room.isShort(slow)).as("another takes its fill").isFalse();
    assertThat(room.isShort()).isFalse();
    assertThat(room.isShort(greedy)).isTrue();
    room.leave(more.place);
    assertThat(room.isShort(greedy)).isFalse();
    Waiter turn = await(peer(), ROOM);
    assertThat(room.isShort(slow)).isTrue();
    assertThat(room.isShort()).isTrue();
    room.leave(turn.place);
    assertThat(room.isShort(slow)).isFalse();
  }

  // --- all of it, at random ----------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  @DisplayName("No newcomer overtakes who waits, each gets its turn, and nothing is kept")
  void newcomersOvertakeNobody(long seed) {
    Random random = new Random(seed);
    List<PeerBudget> peers = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      peers.add(peer());
    }
    PeerBudget newcomer = peer();
    List<Waiter> waiting = new ArrayList<>();
    List<Waiter> holding = new ArrayList<>();
    for (int step = 0; step < 20_000; step++) {
      long bytes = random.nextInt(50) == 0 ? 2 * ROOM : 1 + random.nextInt((int) LONG);
      if (waiting.size() < 60 && random.nextInt(3) > 0) {
        waiting.add(await(peers.get(random.nextInt(peers.size())), bytes));
      } else if (!waiting.isEmpty() && random.nextInt(20) == 0) {
        Waiter left = waiting.remove(random.nextInt(waiting.size()));
        room.leave(left.place);
        assertThat(left.taken).isFalse();
      } else if (!holding.isEmpty()) {
        Waiter done = holding.remove(random.nextInt(holding.size()));
        room.release(done.peer, done.place.bytes);
      }
      Set<PeerBudget> withNothing = new HashSet<>();
      waiting.stream().filter(w -> w.peer.reserved == 0).forEach(w -> withNothing.add(w.peer));
      if (random.nextBoolean()) {
        runLoop();
      }
      waiting.removeIf(waiter -> waiter.taken && holding.add(waiter));
      if (!waiting.isEmpty() && loop.isEmpty()) {
        assertThat(holding).as("somebody has what others wait for").isNotEmpty();
      }
      if (!withNothing.isEmpty()) {
        assertThat(room.reserve(newcomer, 1)).as("a newcomer").isFalse();
      }
    }
    // From here on all that is held ends, and each one that waits gets its turn.
    runLoop();
    waiting.removeIf(waiter -> waiter.taken && holding.add(waiter));
    while (!holding.isEmpty()) {
      Waiter done = holding.remove(0);
      room.release(done.peer, done.place.bytes);
      runLoop();
      waiting.removeIf(waiter -> waiter.taken && holding.add(waiter));
    }
    assertThat(waiting).isEmpty();
    assertThat(peers).allMatch(peer -> peer.reserved == 0 && peer.places.isEmpty());
    assertThat(room.reserve(newcomer, 10 * ROOM)).as("nothing is kept").isTrue();
  }
}
