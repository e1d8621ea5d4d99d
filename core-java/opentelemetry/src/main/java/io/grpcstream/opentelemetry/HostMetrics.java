package io.grpcstream.opentelemetry;

import io.grpcstream.libp2p.Connection;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.HostObserver;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.Stream;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.metrics.LongUpDownCounter;
import io.opentelemetry.api.metrics.Meter;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Makes metrics of what hosts tell; see {@link PeerTelemetry} for their names. Thread-safe. */
final class HostMetrics implements HostObserver {
  private static final AttributeKey<String> DIRECTION = AttributeKey.stringKey("libp2p.direction");
  private static final AttributeKey<String> SECURITY = AttributeKey.stringKey("libp2p.security");
  private static final AttributeKey<String> PROTOCOL = AttributeKey.stringKey("libp2p.protocol");
  private static final AttributeKey<String> REASON =
      AttributeKey.stringKey("libp2p.refusal.reason");
  private static final AttributeKey<String> ERROR = AttributeKey.stringKey("error.type");
  private static final Attributes RECEIVED =
      Attributes.of(AttributeKey.stringKey("network.io.direction"), "receive");
  private static final Attributes SENT =
      Attributes.of(AttributeKey.stringKey("network.io.direction"), "transmit");

  /** From the same rack to the time-out of a dial. */
  private static final List<Double> SECONDS =
      List.of(
          0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
          30.0);

  private final LongUpDownCounter connections;
  private final LongUpDownCounter streams;
  private final DoubleHistogram dials;
  private final DoubleHistogram handshakes;
  private final DoubleHistogram roundTrips;
  private final DoubleHistogram loopDelays;
  private final HostTotals totals = new HostTotals();

  HostMetrics(Meter meter) {
    connections =
        meter
            .upDownCounterBuilder("libp2p.connection.count")
            .setUnit("{connection}")
            .setDescription("Live connections.")
            .build();
    streams =
        meter
            .upDownCounterBuilder("libp2p.stream.count")
            .setUnit("{stream}")
            .setDescription("Open streams that have agreed on a protocol.")
            .build();
    dials = histogram(meter, "libp2p.dial.duration", "Dials of a peer, over all its addresses.");
    handshakes =
        histogram(
            meter,
            "libp2p.handshake.duration",
            "From a connected socket to a libp2p connection, or to its failure.");
    roundTrips = histogram(meter, "libp2p.round_trip.duration", "Round trips of live connections.");
    loopDelays =
        histogram(meter, "libp2p.event_loop.delay", "How late tasks run on the event loops.");
    meter
        .counterBuilder("libp2p.io")
        .setUnit("By")
        .setDescription("Bytes that connections carried, encryption and handshakes included.")
        .buildWithCallback(
            measured -> {
              HostTotals.Sum sum = totals.sum();
              measured.record(sum.received(), RECEIVED);
              measured.record(sum.sent(), SENT);
            });
    meter
        .counterBuilder("libp2p.refusals")
        .setUnit("{refusal}")
        .setDescription("Connections and streams that were turned away.")
        .buildWithCallback(
            measured ->
                totals
                    .sum()
                    .refusals()
                    .forEach((reason, count) -> measured.record(count, attributesOf(reason))));
  }

  private static DoubleHistogram histogram(Meter meter, String name, String description) {
    return meter
        .histogramBuilder(name)
        .setUnit("s")
        .setDescription(description)
        .setExplicitBucketBoundariesAdvice(SECONDS)
        .build();
  }

  @Override
  public void onStart(Host host) {
    totals.add(host);
  }

  @Override
  public void onConnected(Connection connection) {
    connections.add(1, attributesOf(connection));
  }

  @Override
  public void onDisconnected(Connection connection) {
    connections.add(-1, attributesOf(connection));
  }

  @Override
  public void onStreamOpened(Connection connection, Stream stream) {
    streams.add(1, attributesOf(stream));
  }

  @Override
  public void onStreamClosed(Connection connection, Stream stream) {
    streams.add(-1, attributesOf(stream));
  }

  @Override
  public void onDialed(@Nullable PeerId peer, Duration took, @Nullable Throwable failure) {
    dials.record(seconds(took), withFailure(Attributes.builder(), failure));
  }

  @Override
  public void onHandshake(
      boolean initiator, String security, Duration took, @Nullable Throwable failure) {
    AttributesBuilder attributes = Attributes.builder().put(DIRECTION, direction(initiator));
    if (!security.isEmpty()) {
      attributes.put(SECURITY, security);
    }
    handshakes.record(seconds(took), withFailure(attributes, failure));
  }

  @Override
  public void onRoundTrip(Connection connection, Duration roundTrip) {
    roundTrips.record(seconds(roundTrip));
  }

  @Override
  public void onEventLoopDelay(Duration delay) {
    loopDelays.record(seconds(delay));
  }

  private static Attributes attributesOf(Connection connection) {
    return Attributes.of(
        DIRECTION, direction(connection.isInitiator()), SECURITY, connection.security());
  }

  private static Attributes attributesOf(Stream stream) {
    return Attributes.of(DIRECTION, direction(stream.isInitiator()), PROTOCOL, stream.protocol());
  }

  private static Attributes attributesOf(Refusal reason) {
    return Attributes.of(REASON, reason.name().toLowerCase(Locale.ROOT));
  }

  private static Attributes withFailure(AttributesBuilder known, @Nullable Throwable failure) {
    return failure == null ? known.build() : known.put(ERROR, failure.getClass().getName()).build();
  }

  private static String direction(boolean initiator) {
    return initiator ? "outbound" : "inbound";
  }

  private static double seconds(Duration time) {
    return time.toNanos() / 1e9;
  }
}
