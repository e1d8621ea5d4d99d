package io.grpcstream.libp2p;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class LimitsTest {
  @Test
  void limitsGrowWithTheHeap() {
    Limits limits = Limits.defaults();
    int scale = (int) Math.max(1, Runtime.getRuntime().maxMemory() / (256L << 20));

    assertThat(limits.inboundStreams()).isEqualTo(1_024 * scale);
    assertThat(limits.outboundStreamsPerProtocol()).isEqualTo(128 * scale);
    assertThat(limits.connections()).isEqualTo(1_024 * scale);
    assertThat(limits.connectionsPerAddress()).isEqualTo(32 * scale);
    assertThat(limits.pendingInboundConnections()).isEqualTo(128 * scale);
    assertThat(limits.peerInfoBytes()).isEqualTo(Runtime.getRuntime().maxMemory() / 32);
    assertThat(limits.connectionsPerPeer()).isEqualTo(8);
    assertThat(limits.dialTimeout()).isEqualTo(Duration.ofSeconds(15));
  }

  @Test
  @DisplayName("A builder made of limits keeps them, and leaves them alone")
  void builderMadeOfLimits() {
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

  @Test
  @DisplayName("The table in the documentation has all limits with their values")
  void tableInTheDocumentation() throws Exception {
    Limits small = Limits.builder(256L << 20).build();
    Limits large = Limits.builder(1_024L << 20).build();
    Pattern row =
        Pattern.compile(
            "<tr><td>\\{@link #(\\w+)\\(\\)}</td><td>([^<]+)</td><td>([^<]+)</td></tr>");
    Matcher rows =
        row.matcher(Files.readString(Path.of("src/main/java/io/grpcstream/libp2p/Limits.java")));
    List<String> documented = new ArrayList<>();
    while (rows.find()) {
      Method limit = Limits.class.getMethod(rows.group(1));
      documented.add(limit.getName());
      assertThat(shown(limit.invoke(small))).as(limit.getName()).isEqualTo(rows.group(2));
      boolean grows = !limit.invoke(small).equals(limit.invoke(large));
      assertThat(rows.group(3)).as(limit.getName()).matches(grows ? "yes|a 32nd of it" : "no");
    }
    assertThat(documented)
        .containsExactlyInAnyOrderElementsOf(
            Stream.of(Limits.class.getDeclaredMethods())
                .filter(m -> java.lang.reflect.Modifier.isPublic(m.getModifiers()))
                .filter(m -> m.getParameterCount() == 0)
                .map(Method::getName)
                .filter(
                    name -> !List.of("defaults", "builder", "toBuilder", "toString").contains(name))
                .toList());
  }

  @Test
  @DisplayName("The text of limits has each of them, and durations as people write them")
  void textHasAllLimits() {
    Limits limits =
        Limits.builder()
            .acceptTimeout(Duration.ofSeconds(1))
            .upgradeTimeout(Duration.ofSeconds(90))
            .dialTimeout(Duration.ofMillis(1_500))
            .streamNegotiationTimeout(Duration.ofMillis(250))
            .keepAliveInterval(Duration.ZERO)
            .keepAliveTimeout(Duration.ofSeconds(7))
            .streamWindow(300_000)
            .connectionWindow(400_000)
            .build();
    assertThat(limits.toString())
        .contains(
            "acceptTimeout=1 s",
            "upgradeTimeout=90 s",
            "dialTimeout=1.5 s",
            "streamNegotiationTimeout=250 ms",
            "keepAlive interval/timeout=0 s/7 s",
            "windows stream/connection=300000/400000")
        .doesNotContain("PT");
  }

  private static String shown(Object value) {
    return value instanceof Duration duration
        ? duration.toSeconds() + " s"
        : "%,d".formatted(((Number) value).longValue());
  }
}
