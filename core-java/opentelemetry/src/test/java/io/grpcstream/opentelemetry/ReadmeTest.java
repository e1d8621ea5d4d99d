package io.grpcstream.opentelemetry;

import static io.grpcstream.opentelemetry.Peers.await;
import static io.grpcstream.opentelemetry.Peers.channel;
import static io.grpcstream.opentelemetry.Peers.eventually;
import static io.grpcstream.opentelemetry.Peers.greet;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.GrpcPeer;
import io.grpcstream.GrpcStream;
import io.grpcstream.opentelemetry.Peers.Greeter;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.testing.exporter.InMemoryMetricReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The README of this module says what is so. */
@Timeout(60)
class ReadmeTest {
  private static final Path SOURCE =
      Path.of("src/test/java/io/grpcstream/opentelemetry/ReadmeTest.java");

  // readme
  static GrpcPeer peer(OpenTelemetry openTelemetry) {
    return GrpcPeer.builder()
        .listen("/ip4/127.0.0.1/tcp/0")
        .serve("/greeter/1.0.0", GrpcStream.builder().addService(new Greeter()).mdc())
        .install(PeerTelemetry.create(openTelemetry))
        .build();
  }

  // end

  private static String readme() throws IOException {
    return Files.readString(Path.of("README.md"));
  }

  @Test
  @DisplayName("The example is the one that runs here")
  void example() throws IOException {
    String source = Files.readString(SOURCE);
    String marked =
        source.substring(source.indexOf("  // readme\n") + 12, source.indexOf("\n  // end\n"));
    assertThat(readme()).contains("```java\n" + marked.replaceAll("(?m)^  ", "") + "```");
  }

  @Test
  @DisplayName("The table has the names of all metrics of a host, and no others")
  void names() throws IOException {
    InMemoryMetricReader reader = InMemoryMetricReader.create();
    OpenTelemetry openTelemetry =
        OpenTelemetrySdk.builder()
            .setMeterProvider(SdkMeterProvider.builder().registerMetricReader(reader).build())
            .build();
    Set<String> table = new TreeSet<>();
    Pattern.compile("(?m)^\\| `(libp2p\\.[^`]+)` \\| (?:counter|up-down|histogram)")
        .matcher(readme())
        .results()
        .forEach(row -> table.add(row.group(1)));
    assertThat(table).hasSize(8);
    try (GrpcPeer server = peer(openTelemetry);
        GrpcPeer caller = peer(openTelemetry)) {
      await(server.start());
      await(caller.start());
      assertThat(greet(channel(caller, server), "Ada")).isEqualTo("Hello, Ada!");
      server
          .host()
          .handle(
              "/refusing/1.0.0",
              stream -> {
                throw new IllegalStateException("on purpose");
              });
      await(
          caller
              .host()
              .newStream(server.addresses().get(0), "/refusing/1.0.0")
              .handle((stream, failure) -> "over, with or without a stream"));
      eventually(
          "all are measured",
          () ->
              reader.collectAllMetrics().stream()
                  .map(MetricData::getName)
                  .filter(name -> name.startsWith("libp2p."))
                  .collect(Collectors.toSet())
                  .equals(table));
    }
  }
}
