package io.grpcstream.libp2p.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DurationTextTest {
  @ParameterizedTest
  @CsvSource({
    "PT0S, 0 s",
    "PT1M30S, 90 s",
    "PT15S, 15 s",
    "PT1.5S, 1.5 s",
    "PT1S, 1 s",
    "PT0.3S, 300 ms",
    "PT0.0015S, 1.5 ms",
    "PT0.000000001S, 0.000001 ms",
    "PT1H, 3600 s",
    "P365D, 31536000 s",
    "PT-5S, -5 s",
    "PT-0.25S, -250 ms",
  })
  void durationsAreWrittenAsPeopleDo(Duration duration, String text) {
    assertThat(DurationText.of(duration)).isEqualTo(text);
  }

  @ParameterizedTest
  @CsvSource({
    "PT14.997123456S, 15 s",
    "PT1.2345S, 1.23 s",
    "PT0.2999S, 300 ms",
    "PT0.9996S, 1 s",
    "PT0.9994S, 999 ms",
    "PT20M0.4S, 1200 s",
  })
  @DisplayName("What is left of a round number is written as that number")
  void restOfARoundNumber(Duration left, String text) {
    assertThat(DurationText.of(left)).isEqualTo(text);
    assertThat(DurationText.ofNanos(left.toNanos())).isEqualTo(text);
  }
}
