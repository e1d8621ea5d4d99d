package io.grpcstream.libp2p.mux.yamux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The configuration's values and their bounds. */
class YamuxConfigTest {
  @Test
  void aBuilderChangesWhatItIsToldTo() {
    YamuxConfig config =
        YamuxConfig.defaults().toBuilder()
            .maxWindow(1 << 20)
            .maxConnectionWindow(0)
            .maxFrameData(1000)
            .ackBacklog(7)
            .maxInboundStreams(8)
            .maxOutboundStreams(9)
            .keepAliveInterval(Duration.ofSeconds(1))
            .keepAliveTimeout(Duration.ofSeconds(2))
            .writeTimeout(Duration.ofSeconds(3))
            .closeTimeout(Duration.ofSeconds(4))
            .build();
    assertThat(config)
        .isEqualTo(
            new YamuxConfig(
                1 << 20,
                0,
                1000,
                7,
                8,
                9,
                Duration.ofSeconds(1),
                Duration.ofSeconds(2),
                Duration.ofSeconds(3),
                Duration.ofSeconds(4)));
    assertThat(YamuxConfig.defaults().toBuilder().build()).isEqualTo(YamuxConfig.defaults());
  }

  @Test
  void aValueOutOfRangeIsNamed() {
    assertThatThrownBy(() -> YamuxConfig.defaults().toBuilder().maxWindow(1000).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("maxWindow is 1000, must be at least 262144");
    assertThatThrownBy(() -> YamuxConfig.defaults().toBuilder().closeTimeout(Duration.ZERO).build())
        .hasMessage("closeTimeout in ms is 0, must be at least 1");
  }
}
