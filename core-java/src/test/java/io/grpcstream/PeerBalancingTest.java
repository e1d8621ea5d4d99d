package io.grpcstream;

import static io.grpcstream.Hosts.address;
import static io.grpcstream.Hosts.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.netty.PeerChannelTestOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** gRPC's load balancers over several peers, some of which are no good. */
@Timeout(60)
class PeerBalancingTest {
  private static final String PROTOCOL = Wire.PROTOCOL;

  private final Hosts hosts = new Hosts();
  private final Host caller = hosts.start(Hosts.MEMORY);
  private final List<ManagedChannel> channels = new ArrayList<>();
  private volatile boolean failing;

  @AfterEach
  void close() throws Exception {
    for (ManagedChannel channel : channels) {
      channel.shutdownNow();
      assertThat(channel.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
    }
    hosts.close();
  }

  private Host serving(UnaryOperator<String> reply) {
    return serving(GrpcStream.builder().addService(Echo.service(reply)).build().serve());
  }

  private Host serving(GrpcStream grpc) {
    Host host = hosts.start(Hosts.MEMORY);
    host.handle(PROTOCOL, grpc.handler());
    return host;
  }

  private ManagedChannel channel(Consumer<PeerChannelBuilder> options, Host... peers) {
    List<String> addresses = new ArrayList<>();
    for (Host peer : peers) {
      addresses.add(address(peer).toString());
    }
    PeerChannelBuilder builder =
        PeerChannelBuilder.forTarget(
            caller, "libp2p:" + String.join(",", addresses) + "?protocol=" + PROTOCOL);
    options.accept(builder);
    ManagedChannel channel = builder.build();
    channels.add(channel);
    return channel;
  }

  /** Who answers 12 calls; calls that fail are left out. */
  private static Map<String, Integer> spread(ManagedChannel channel) {
    Map<String, Integer> spread = new TreeMap<>();
    for (int i = 0; i < 12; i++) {
      try {
        spread.merge(Echo.unary(channel, "x"), 1, Integer::sum);
      } catch (StatusRuntimeException e) {
        spread.merge("failed", 1, Integer::sum);
      }
    }
    return spread;
  }

  @Test
  @DisplayName("A peer whose calls fail is ejected by outlier detection, and taken back")
  void outlierDetection() {
    UnaryOperator<String> sometimes =
        request -> {
          if (failing) {
            throw new StatusRuntimeException(Status.INTERNAL);
          }
          return "c";
        };
    Map<String, ?> outliers =
        Map.of(
            "interval",
            "0.1s",
            "baseEjectionTime",
            "0.3s",
            "maxEjectionTime",
            "0.5s",
            "maxEjectionPercent",
            50.0,
            "failurePercentageEjection",
            Map.of(
                "threshold", 50.0,
                "enforcementPercentage", 100.0,
                "minimumHosts", 2.0,
                "requestVolume", 3.0),
            "childPolicy",
            List.of(Map.of("round_robin", Map.of())));
    ManagedChannel channel =
        channel(
            builder ->
                builder.defaultServiceConfig(
                    Map.of(
                        "loadBalancingConfig",
                        List.of(Map.of("outlier_detection_experimental", outliers)))),
            serving(request -> "a"),
            serving(request -> "b"),
            serving(sometimes));
    Map<String, Integer> even = Map.of("a", 4, "b", 4, "c", 4);
    eventually("all are called", () -> spread(channel).equals(even));
    failing = true;
    eventually("it is ejected", () -> spread(channel).equals(Map.of("a", 6, "b", 6)));
    failing = false;
    eventually("it is taken back", () -> spread(channel).equals(even));
  }

  @Test
  @DisplayName("A peer that reports NOT_SERVING gets no calls until it serves again")
  void healthChecking() {
    HealthStatusManager health = new HealthStatusManager();
    health.setStatus(Echo.NAME, ServingStatus.NOT_SERVING);
    HealthStatusManager well = new HealthStatusManager();
    well.setStatus(Echo.NAME, ServingStatus.SERVING);
    Host sick =
        serving(
            GrpcStream.builder()
                .addService(Echo.service(request -> "a"))
                .addService(health.getHealthService())
                .build()
                .serve());
    Host sound =
        serving(
            GrpcStream.builder()
                .addService(Echo.service(request -> "b"))
                .addService(well.getHealthService())
                .build()
                .serve());
    ManagedChannel channel =
        channel(
            builder ->
                builder.defaultServiceConfig(
                    Map.of(
                        "loadBalancingConfig",
                        List.of(Map.of("round_robin", Map.of())),
                        "healthCheckConfig",
                        Map.of("serviceName", Echo.NAME))),
            sick,
            sound);
    assertThat(spread(channel)).isEqualTo(Map.of("b", 12));
    health.setStatus(Echo.NAME, ServingStatus.SERVING);
    eventually("it gets its share", () -> spread(channel).equals(Map.of("a", 6, "b", 6)));
    health.setStatus(Echo.NAME, ServingStatus.NOT_SERVING);
    eventually("it gets none", () -> spread(channel).equals(Map.of("b", 12)));
  }

  /** What is wrong with the first peer. */
  private enum First {
    SILENT,
    RESETS,
    FULL_BACKLOG,
    UNKNOWN_PROTOCOL
  }

  private Host first(First kind) {
    return switch (kind) {
      case SILENT -> {
        Host host = hosts.start(Hosts.MEMORY);
        host.handle(PROTOCOL, stream -> stream.channel().config().setAutoRead(true));
        yield host;
      }
      case RESETS -> {
        Host host = hosts.start(Hosts.MEMORY);
        host.handle(PROTOCOL, Stream::reset);
        yield host;
      }
      case FULL_BACKLOG -> serving(GrpcStream.builder().backlog(0).build());
      case UNKNOWN_PROTOCOL -> hosts.start(Hosts.MEMORY);
    };
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("pick_first goes on to the next peer when the first is never ready for calls")
  void pickFirst(First kind) {
    ManagedChannel channel =
        channel(
            builder ->
                PeerChannelTestOptions.readyTimeout(builder.delegate(), Duration.ofMillis(300)),
            first(kind),
            serving(request -> "second"));
    assertThat(Echo.unary(channel, "x")).isEqualTo("second");
    eventually(
        "one stream is left",
        () ->
            caller.connections().stream()
                    .flatMap(connection -> connection.streams().stream())
                    .filter(stream -> stream.protocol().equals(PROTOCOL))
                    .count()
                == 1);
  }

  @Test
  @DisplayName("A peer that agrees to streams and says nothing is named as the reason")
  void silentAlone() {
    Host silent = first(First.SILENT);
    ManagedChannel channel =
        channel(
            builder ->
                PeerChannelTestOptions.readyTimeout(builder.delegate(), Duration.ofMillis(300)),
            silent);
    Status status = Echo.failure(channel);
    assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(status.getDescription())
        .contains("no word of HTTP/2 within", PROTOCOL, silent.peerId().toString());
  }

  @Test
  @DisplayName("A peer whose authorizer refuses is asked, and says so")
  void refusing() {
    Host refusing =
        serving(
            GrpcStream.builder()
                .addService(Echo.service())
                .authorizer((peer, protocol) -> false)
                .build()
                .serve());
    ManagedChannel channel = channel(builder -> {}, refusing, serving(request -> "second"));
    assertThat(Echo.failure(channel).getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);
  }
}
