package io.grpcstream.libp2p;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class ConnectionManagerTest {
  @Test
  @DisplayName("By default a host closes nothing by itself")
  void defaults() {
    ConnectionManager none = ConnectionManager.none();
    assertThat(none.lowWater()).isZero();
    assertThat(none.highWater()).isZero();
    assertThat(none.gracePeriod()).isEqualTo(Duration.ofMinutes(1));
    assertThat(none.silencePeriod()).isEqualTo(Duration.ofSeconds(10));
    assertThat(none.idleTimeout()).isZero();
    assertThat(none)
        .hasToString(
            "ConnectionManager[waterMarks=0/0, gracePeriod=60 s, silencePeriod=10 s,"
                + " idleTimeout=none]");
    assertThat(Host.builder().build().connectionManager()).isSameAs(none);
  }

  @Test
  @DisplayName("What was set is there, and a copy changes without its origin")
  void values() {
    ConnectionManager set =
        ConnectionManager.builder()
            .waterMarks(100, 200)
            .gracePeriod(Duration.ZERO)
            .silencePeriod(Duration.ofMillis(5))
            .idleTimeout(Duration.ofHours(1))
            .build();
    assertThat(set.toBuilder().idleTimeout(Duration.ZERO).waterMarks(0, 0).build().highWater())
        .isZero();
    assertThat(set)
        .hasToString(
            "ConnectionManager[waterMarks=100/200, gracePeriod=0 s, silencePeriod=5 ms,"
                + " idleTimeout=3600 s]");
  }

  @Test
  @DisplayName("Values without sense are refused, with their name and value")
  void refused() {
    ConnectionManager.Builder builder = ConnectionManager.builder();
    assertThatThrownBy(() -> builder.waterMarks(3, 2))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("water marks must be positive, and low not above high: are 3 and 2");
    assertThatThrownBy(() -> builder.waterMarks(0, 2)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> builder.waterMarks(-1, 2)).hasMessageContaining("-1 and 2");
    assertThatThrownBy(() -> builder.gracePeriod(Duration.ofSeconds(-1)))
        .hasMessage("gracePeriod must be between 0 and 365 days, is -1 s");
    assertThatThrownBy(() -> builder.idleTimeout(Duration.ofDays(366)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("idleTimeout");
    assertThatThrownBy(() -> builder.silencePeriod(Duration.ZERO))
        .hasMessage("silencePeriod must be positive, is 0");
  }

  @Test
  @DisplayName("A high-water mark at the limit of connections is refused")
  void aboveTheLimit() {
    Host.Builder builder =
        Host.builder()
            .limits(Limits.builder().connections(10).build())
            .connectionManager(ConnectionManager.builder().waterMarks(5, 10).build());
    assertThatThrownBy(builder::build)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the high-water mark must be below the limit of 10 connections, is 10");
  }
}
