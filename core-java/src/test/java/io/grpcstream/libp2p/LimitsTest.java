package io.grpcstream.libp2p;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class LimitsTest {
  @Test
  void streamLimitsGrowWithTheHeapAndConnectionLimitsDoNot() {
    Limits limits = Limits.defaults();
    int scale = (int) Math.max(1, Runtime.getRuntime().maxMemory() / (256L << 20));

    assertThat(limits.inboundStreams()).isEqualTo(1_024 * scale);
    assertThat(limits.outboundStreamsPerProtocol()).isEqualTo(128 * scale);
    assertThat(limits.connectionsPerPeer()).isEqualTo(8);
    assertThat(limits.dialTimeout()).isEqualTo(Duration.ofSeconds(15));
  }

  @Test
  void aBuilderMadeOfLimitsKeepsThemAndLeavesThemAlone() {
    Limits limits =
        Limits.builder()
            .connections(7)
            .streamWindow(1 << 20)
            .acceptTimeout(Duration.ofMillis(3))
            .build();
    Limits changed = limits.toBuilder().connections(8).build();

    assertThat(changed.connections()).isEqualTo(8);
    assertThat(changed.streamWindow()).isEqualTo(1 << 20);
    assertThat(changed.acceptTimeout()).isEqualTo(Duration.ofMillis(3));
    assertThat(limits.connections()).isEqualTo(7);
  }

  @Test
  void aLimitOutOfRangeIsNamedWithItsValue() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Limits.builder().inboundStreamsPerPeer(0))
        .withMessage("inboundStreamsPerPeer must be positive, is 0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Limits.builder().dialTimeout(Duration.ZERO))
        .withMessageContaining("dialTimeout");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Limits.builder().streamWindow(1_000))
        .withMessageContaining("262144");
  }
}
