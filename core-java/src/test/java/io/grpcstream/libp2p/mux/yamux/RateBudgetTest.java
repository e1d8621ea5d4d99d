package io.grpcstream.libp2p.mux.yamux;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** The token bucket. */
class RateBudgetTest {
  @Test
  void aBurstIsAllowedThenTheRate() {
    RateBudget budget = new RateBudget(3, 2, 0);
    assertThat(budget.take(0)).isTrue();
    assertThat(budget.take(0)).isTrue();
    assertThat(budget.take(0)).isTrue();
    assertThat(budget.take(0)).isFalse();
    assertThat(budget.take(499_999_999)).isFalse();
    assertThat(budget.take(500_000_001)).isTrue();
    assertThat(budget.take(500_000_001)).isFalse();
  }

  @Test
  void restDoesNotSaveUpMoreThanTheBurst() {
    RateBudget budget = new RateBudget(2, 2, 0);
    long later = 3_600_000_000_000L;
    assertThat(budget.take(later)).isTrue();
    assertThat(budget.take(later)).isTrue();
    assertThat(budget.take(later)).isFalse();
  }
}
