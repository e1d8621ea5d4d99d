package io.grpcstream.libp2p.util;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class LogRateLimitTest {
  private long now;
  private final LogRateLimit limit = new LogRateLimit(1, Duration.ofSeconds(1), () -> now);

  @Test
  @DisplayName("One line a second is let through, and tells how many were not")
  void oneLineASecondIsLetThrough() {
    assertThat(limit.leftOut()).isZero();
    assertThat(limit.leftOut()).isEqualTo(-1);
    assertThat(limit.leftOut()).isEqualTo(-1);
    now += TimeUnit.SECONDS.toNanos(1);
    assertThat(limit.leftOut()).isEqualTo(2);
    assertThat(limit.leftOut()).isEqualTo(-1);
  }

  @Test
  void soManyLinesOfAWindowAreLetThroughAndTheNextTellsHowManyWereNot() {
    LogRateLimit two = new LogRateLimit(2, Duration.ofSeconds(10), () -> now);
    assertThat(two.leftOut()).isZero();
    now += TimeUnit.SECONDS.toNanos(9);
    assertThat(two.leftOut()).isZero();
    assertThat(two.leftOut()).isEqualTo(-1);
    now += TimeUnit.SECONDS.toNanos(1);
    assertThat(two.leftOut()).isEqualTo(1);
  }
}
