package io.grpcstream.opentelemetry;

import static io.grpcstream.opentelemetry.Peers.PROTOCOL;
import static io.grpcstream.opentelemetry.Peers.await;
import static io.grpcstream.opentelemetry.Peers.channel;
import static io.grpcstream.opentelemetry.Peers.eventually;
import static io.grpcstream.opentelemetry.Peers.greet;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.StatusRuntimeException;
import io.grpcstream.GrpcPeer;
import io.grpcstream.GrpcStream;
import io.grpcstream.libp2p.ConnectionGater;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.crypto.PrivateKey;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.data.HistogramPointData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.testing.exporter.InMemoryMetricReader;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class HostMetricsTest {
  private final Peers peers = new Peers();
  private final InMemoryMetricReader reader = InMemoryMetricReader.create();
  private final InMemoryMetricReader callersReader = InMemoryMetricReader.create();
  private final InMemoryMetricReader optionalReader = InMemoryMetricReader.create();
  private final PeerTelemetry telemetry = telemetry(reader);
  private final PeerTelemetry callers = telemetry(callersReader);

  private static PeerTelemetry telemetry(InMemoryMetricReader reader) {
    return PeerTelemetry.create(
        OpenTelemetrySdk.builder()
            .setMeterProvider(SdkMeterProvider.builder().registerMetricReader(reader).build())
            .build());
  }

  @AfterEach
  void close() {
    peers.close();
  }

  private GrpcPeer server() {
    return peers.start(
        GrpcPeer.builder()
            .listen("/ip4/127.0.0.1/tcp/0")
            .serve(PROTOCOL, GrpcStream.builder().addService(new Peers.Greeter()))
            .install(telemetry));
  }

  private GrpcPeer caller() {
    return peers.start(GrpcPeer.builder().install(callers));
  }

  private static Map<String, MetricData> metrics(InMemoryMetricReader reader) {
    return reader.collectAllMetrics().stream()
        .collect(
            Collectors.toMap(MetricData::getName, metric -> metric, (a, b) -> a, TreeMap::new));
  }

  /** The value of a sum for these attributes; 0 if there is none. */
  private static long sum(InMemoryMetricReader reader, String name, Attributes attributes) {
    MetricData metric = metrics(reader).get(name);
    return metric == null
        ? 0
        : metric.getLongSumData().getPoints().stream()
            .filter(point -> point.getAttributes().equals(attributes))
            .mapToLong(point -> point.getValue())
            .sum();
  }

  /** How many were recorded for these attributes. */
  private static long count(InMemoryMetricReader reader, String name, Attributes attributes) {
    MetricData metric = metrics(reader).get(name);
    return metric == null
        ? 0
        : metric.getHistogramData().getPoints().stream()
            .filter(point -> point.getAttributes().equals(attributes))
            .mapToLong(HistogramPointData::getCount)
            .sum();
  }

  private static Attributes with(String... pairs) {
    var attributes = Attributes.builder();
    for (int i = 0; i < pairs.length; i += 2) {
      attributes.put(AttributeKey.stringKey(pairs[i]), pairs[i + 1]);
    }
    return attributes.build();
  }

  @Test
  @DisplayName("A call between two peers is in the metrics of both hosts, and in gRPC's own")
  void aCall() {
    GrpcPeer server = server();
    GrpcPeer caller = caller();
    assertThat(greet(channel(caller, server), "Ada")).isEqualTo("Hello, Ada!");
    String security = caller.host().connections().get(0).security();

    Attributes in = with("libp2p.direction", "inbound", "libp2p.security", security);
    Attributes out = with("libp2p.direction", "outbound", "libp2p.security", security);
    assertThat(sum(callersReader, "libp2p.connection.count", out)).isEqualTo(1);
    assertThat(sum(reader, "libp2p.connection.count", in)).isEqualTo(1);
    assertThat(count(callersReader, "libp2p.handshake.duration", out)).isEqualTo(1);
    assertThat(count(reader, "libp2p.handshake.duration", in)).isEqualTo(1);
    assertThat(count(callersReader, "libp2p.dial.duration", Attributes.empty())).isEqualTo(1);
    Attributes served = with("libp2p.direction", "inbound", "libp2p.protocol", PROTOCOL);
    Attributes called = with("libp2p.direction", "outbound", "libp2p.protocol", PROTOCOL);
    assertThat(sum(reader, "libp2p.stream.count", served)).isEqualTo(1);
    assertThat(sum(callersReader, "libp2p.stream.count", called)).isEqualTo(1);
    Attributes received = with("network.io.direction", "receive");
    Attributes sent = with("network.io.direction", "transmit");
    eventually(
        "all that was sent has arrived",
        () ->
            sum(callersReader, "libp2p.io", sent) == sum(reader, "libp2p.io", received)
                && sum(callersReader, "libp2p.io", received) == sum(reader, "libp2p.io", sent));
    assertThat(sum(reader, "libp2p.io", sent)).isGreaterThan(500);
    eventually(
        "a round trip", () -> count(reader, "libp2p.round_trip.duration", Attributes.empty()) > 0);
    eventually(
        "the event loop", () -> count(reader, "libp2p.event_loop.delay", Attributes.empty()) > 0);
    assertThat(metrics(reader)).containsKey("grpc.server.call.duration");
    assertThat(metrics(callersReader))
        .containsKeys("grpc.client.call.duration", "grpc.client.attempt.duration");

    long before = sum(callersReader, "libp2p.io", sent);
    await(caller.shutdown(Duration.ZERO));
    eventually(
        "it is gone for both",
        () ->
            sum(reader, "libp2p.connection.count", in) == 0
                && sum(reader, "libp2p.stream.count", served) == 0);
    assertThat(sum(callersReader, "libp2p.connection.count", out)).isZero();
    assertThat(sum(callersReader, "libp2p.stream.count", called)).isZero();
    assertThat(sum(callersReader, "libp2p.io", sent))
        .as("a counter does not go back as a host ends")
        .isGreaterThanOrEqualTo(before);
  }

  @Test
  @DisplayName("Optional metrics of gRPC's can be had, such as those of sub-channels")
  void optionalMetrics() {
    String attempts = "grpc.subchannel.connection_attempts_succeeded";
    PeerTelemetry more =
        PeerTelemetry.create(
            OpenTelemetrySdk.builder()
                .setMeterProvider(
                    SdkMeterProvider.builder().registerMetricReader(optionalReader).build())
                .build(),
            grpc -> grpc.enableMetrics(List.of(attempts)));
    GrpcPeer server = server();
    GrpcPeer caller = peers.start(GrpcPeer.builder().install(more));
    assertThat(greet(channel(caller, server), "Ada")).isEqualTo("Hello, Ada!");
    eventually("it is measured", () -> metrics(optionalReader).containsKey(attempts));
  }

  @Test
  @DisplayName("What is refused is counted by its reason, and a dial that fails by its failure")
  void refusals() {
    GrpcPeer server =
        peers.start(
            GrpcPeer.builder()
                .listen("/ip4/127.0.0.1/tcp/0")
                .configureHost(
                    host ->
                        host.gater(
                            new ConnectionGater() {
                              @Override
                              public boolean allowPeer(
                                  PeerId peer, Multiaddr address, boolean initiator) {
                                return false;
                              }
                            }))
                .install(telemetry));
    GrpcPeer caller = caller();
    Multiaddr address = server.addresses().get(0);
    PeerId other = PeerId.of(PrivateKey.generateEd25519().publicKey());
    assertThatThrownBy(
            () -> greet(caller.channel(address.withoutPeerId().withPeerId(other), PROTOCOL), "Ada"))
        .isInstanceOf(StatusRuntimeException.class);
    assertThat(
            count(
                callersReader,
                "libp2p.dial.duration",
                with("error.type", "io.grpcstream.libp2p.PeerIdMismatchException")))
        .isEqualTo(1);
    Attributes mismatch = with("libp2p.refusal.reason", "peer_id_mismatch");
    assertThat(sum(callersReader, "libp2p.refusals", mismatch)).isEqualTo(1);

    assertThatThrownBy(() -> greet(channel(caller, server), "Ada"))
        .isInstanceOf(StatusRuntimeException.class);
    Attributes gated = with("libp2p.refusal.reason", "gated_peer");
    eventually("it is counted", () -> sum(reader, "libp2p.refusals", gated) > 0);
  }
}
