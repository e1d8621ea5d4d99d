package io.grpcstream.opentelemetry;

import static io.grpcstream.opentelemetry.Peers.PROTOCOL;
import static io.grpcstream.opentelemetry.Peers.channel;
import static io.grpcstream.opentelemetry.Peers.eventually;
import static io.grpcstream.opentelemetry.Peers.greet;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.opentelemetry.GrpcOpenTelemetry;
import io.grpcstream.GrpcPeer;
import io.grpcstream.GrpcStream;
import io.micrometer.core.instrument.binder.grpc.MetricCollectingClientInterceptor;
import io.micrometer.core.instrument.binder.grpc.MetricCollectingServerInterceptor;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.metrics.MeterProvider;
import io.opentelemetry.api.trace.TracerProvider;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.contrib.metrics.micrometer.MicrometerMeterProvider;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How those who measure by Micrometer have the same metrics, in its registries. */
@Timeout(120)
class MicrometerTest {
  /** An OpenTelemetry whose metrics are Micrometer's, and which traces nothing. */
  private static OpenTelemetry over(MeterProvider meters) {
    return new OpenTelemetry() {
      @Override
      public TracerProvider getTracerProvider() {
        return TracerProvider.noop();
      }

      @Override
      public MeterProvider getMeterProvider() {
        return meters;
      }

      @Override
      public ContextPropagators getPropagators() {
        return ContextPropagators.noop();
      }
    };
  }

  @Test
  @DisplayName(
      "A registry has the hosts' metrics by the bridge, and the calls' by Micrometer's own")
  void registry() throws Exception {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    try (MicrometerMeterProvider bridge = MicrometerMeterProvider.builder(registry).build();
        Peers peers = new Peers()) {
      // The bridge takes none of gRPC's histograms: their buckets begin with 0.
      PeerTelemetry telemetry =
          PeerTelemetry.create(over(bridge), GrpcOpenTelemetry.Builder::disableAllMetrics);
      GrpcStream.Builder greeter =
          GrpcStream.builder()
              .addService(new Peers.Greeter())
              .intercept(new MetricCollectingServerInterceptor(registry));
      GrpcPeer server =
          peers.start(
              GrpcPeer.builder().listen("/memory/0").serve(PROTOCOL, greeter).install(telemetry));
      GrpcPeer caller =
          peers.start(
              GrpcPeer.builder()
                  .configureChannels(
                      channel -> channel.intercept(new MetricCollectingClientInterceptor(registry)))
                  .install(telemetry));
      assertThat(greet(channel(caller, server), "Ada")).isEqualTo("Hello, Ada!");

      assertThat(registry.get("libp2p.connection.count").gauges())
          .extracting(gauge -> gauge.value())
          .containsExactlyInAnyOrder(1.0, 1.0);
      assertThat(registry.get("libp2p.dial.duration").summary().count()).isEqualTo(1);
      eventually(
          "the end of the call is measured on both sides",
          () ->
              registry.find("grpc.server.processing.duration").timer() != null
                  && registry.find("grpc.client.processing.duration").timer() != null);
      eventually(
          "bytes of both directions are measured",
          () ->
              registry.find("libp2p.io").functionCounters().stream()
                  .allMatch(counter -> counter.count() > 0));
    }
  }
}
