package io.grpcstream.samples.guide;

import io.grpc.CallCredentials;
import io.grpc.ClientInterceptor;
import io.grpc.CompositeChannelCredentials;
import io.grpc.ConnectivityState;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpcstream.GrpcPeer;
import io.grpcstream.PeerChannelBuilder;
import io.grpcstream.PeerChannelCredentials;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;

final class Channels {
  private Channels() {}

  // guide: channels/one
  static List<ManagedChannel> channelsTo(GrpcPeer peer, Multiaddr address, PeerId other) {
    return List.of(
        peer.channel("libp2p:" + address), // ends in /p2p/<peer id>
        peer.channel(address, "/greeter/1.0.0"),
        peer.channel(other, "/greeter/1.0.0")); // wherever it is
  }

  // end

  // guide: channels/options
  static ManagedChannel channelOfItsOwn(Host host, String target, ClientInterceptor forEachCall) {
    return PeerChannelBuilder.forTarget(host, target)
        .intercept(forEachCall)
        .idleTimeout(5, TimeUnit.MINUTES)
        .keepAliveTime(1, TimeUnit.MINUTES)
        .maxInboundMessageSize(16 * 1024 * 1024)
        .userAgent("greeter-app/1.0")
        .build();
  }

  // end

  // guide: channels/retries
  static final Map<String, ?> RETRIES =
      Map.of(
          "maxAttempts",
          4.0,
          "initialBackoff",
          "0.05s",
          "maxBackoff",
          "1s",
          "backoffMultiplier",
          2.0,
          "retryableStatusCodes",
          List.of("UNAVAILABLE"));

  static ManagedChannel channelToReplicas(Host host, List<Multiaddr> replicas) {
    String target =
        "libp2p:" + replicas.stream().map(Multiaddr::toString).collect(Collectors.joining(","));
    Map<String, ?> methods =
        Map.of(
            "name",
            List.of(Map.of("service", "greeter.Greeter")),
            "timeout",
            "20s",
            "retryPolicy",
            RETRIES);
    return PeerChannelBuilder.forTarget(host, target)
        .defaultLoadBalancingPolicy("round_robin")
        .defaultServiceConfig(
            Map.of(
                "methodConfig", List.of(methods),
                "healthCheckConfig", Map.of("serviceName", "greeter.Greeter")))
        .build();
  }

  // end

  // guide: channels/state
  static void whenReady(ManagedChannel channel, Runnable task) {
    ConnectivityState state = channel.getState(true); // true: connect, if it is idle
    if (state == ConnectivityState.READY) {
      task.run();
    } else {
      channel.notifyWhenStateChanged(state, () -> whenReady(channel, task));
    }
  }

  // end

  // guide: channels/token
  static final Metadata.Key<String> TOKEN =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  static final class Bearer extends CallCredentials {
    private final Supplier<String> token;

    Bearer(Supplier<String> token) {
      this.token = token;
    }

    @Override
    public void applyRequestMetadata(RequestInfo info, Executor executor, MetadataApplier applier) {
      executor.execute( // where it may block, to fetch a new token
          () -> {
            Metadata headers = new Metadata();
            headers.put(TOKEN, "Bearer " + token.get());
            applier.apply(headers);
          });
    }
  }

  // end

  // guide: channels/grpc
  static ManagedChannel channelByGrpcAlone(Host host, String target, Supplier<String> token) {
    return Grpc.newChannelBuilder(
            target,
            CompositeChannelCredentials.create(
                PeerChannelCredentials.create(host), new Bearer(token)))
        .build();
  }
  // end
}
