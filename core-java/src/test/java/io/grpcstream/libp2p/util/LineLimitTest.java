package io.grpcstream.libp2p.util;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class LineLimitTest {
  private long now;
  private final LineLimit limit = new LineLimit(() -> now);

  @Test
  void oneLineASecondIsLetThroughAndTellsHowManyWereNot() {
    assertThat(limit.leftOut()).isZero();
    assertThat(limit.leftOut()).isEqualTo(-1);
    assertThat(limit.leftOut()).isEqualTo(-1);
    now += TimeUnit.SECONDS.toNanos(1);
    assertThat(limit.leftOut()).isEqualTo(2);
    assertThat(limit.leftOut()).isEqualTo(-1);
  }
}
