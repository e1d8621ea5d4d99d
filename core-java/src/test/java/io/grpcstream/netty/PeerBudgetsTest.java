package io.grpcstream.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.crypto.PrivateKey;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class PeerBudgetsTest {
  private static final long MEMORY = 64L << 20;

  private final AtomicLong now = new AtomicLong();
  private final PeerBudgets budgets = new PeerBudgets(1_000, MEMORY, now::get);

  private static PeerId peer() {
    return PeerId.of(PrivateKey.generateEd25519().publicKey());
  }

  private PeerBudget open() {
    return budgets.open(peer());
  }

  private static int spendAll(PeerBudget budget) {
    int spent = 0;
    while (budget.spendReset()) {
      spent++;
    }
    return spent;
  }

  @Test
  void resetsAreCountedForAPeerOverAllItsStreams() {
    PeerId peer = peer();
    PeerBudget first = budgets.open(peer);
    assertThat(spendAll(first)).isEqualTo(1_000);
    assertThat(budgets.open(peer).spendReset()).isFalse();
    assertThat(budgets.isOverdrawn(peer)).isTrue();
    assertThat(open().spendReset()).isTrue();
  }

  @Test
  @DisplayName("A peer that has spent all is served again once half is there")
  void spentPeerIsServedAgainAtHalf() {
    PeerBudget budget = open();
    spendAll(budget);
    now.addAndGet(TimeUnit.MILLISECONDS.toNanos(4_900));
    assertThat(budget.isOverdrawn()).isTrue();
    now.addAndGet(TimeUnit.MILLISECONDS.toNanos(200));
    assertThat(budget.isOverdrawn()).isFalse();
    assertThat(spendAll(budget)).isBetween(505, 511);
  }

  @Test
  @DisplayName("Each answered call gives one reset back, and no more than the budget")
  void answeredCallGivesOneResetBack() {
    PeerBudget budget = open();
    for (int i = 0; i < 10_000; i++) {
      assertThat(budget.spendReset()).isTrue();
      budget.answered();
    }
    for (int i = 0; i < 10; i++) {
      budget.answered();
    }
    assertThat(spendAll(budget)).isEqualTo(1_000);
  }

  @Test
  @DisplayName("Nothing is kept of a peer that is gone and has its budget again")
  void nothingIsKeptOfAPeerThatIsGone() {
    PeerBudget idle = open();
    budgets.close(idle);
    assertThat(budgets.size()).isZero();

    PeerBudget spender = open();
    spender.spendReset();
    budgets.close(spender);
    assertThat(budgets.size()).as("a peer that has spent is remembered").isEqualTo(1);
    now.addAndGet(TimeUnit.SECONDS.toNanos(10));
    for (int i = 0; i < 1_100; i++) {
      budgets.open(peer());
    }
    assertThat(budgets.size()).isEqualTo(1_100);
  }

  @Test
  @DisplayName("However many peers take what they can, the next finds as much as each of them has")
  void nextPeerFindsAsMuchAsTheOthers() {
    long share = MEMORY;
    for (int peers = 1; peers <= 8; peers++) {
      PeerBudget budget = open();
      long held = 0;
      while (budgets.hold(budget, 1_024)) {
        held += 1_024;
      }
      share /= 2;
      assertThat(held).as("peer " + peers).isBetween(share - 1_024, share);
    }
  }
}
