package io.grpcstream;

import static io.grpcstream.Hosts.address;
import static io.grpcstream.Hosts.await;
import static io.grpcstream.Hosts.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.internal.GrpcUtil;
import io.grpc.internal.SharedResourceHolder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.testing.OwnLoader;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Channels that end, or whose hosts do, at any moment. */
@Timeout(60)
class PeerRaceTest {
  private static final String PROTOCOL = Wire.PROTOCOL;

  private final Hosts hosts = new Hosts();
  private final Host peer = serving();
  private final Host caller = hosts.start(Hosts.MEMORY);

  @AfterEach
  void close() {
    hosts.close();
  }

  private Host serving() {
    Host host = hosts.start(Hosts.MEMORY);
    host.handle(
        PROTOCOL, GrpcStream.builder().addService(Echo.service()).build().serve().handler());
    return host;
  }

  private static ListenableFuture<String> call(ManagedChannel channel, CallOptions options) {
    return ClientCalls.futureUnaryCall(channel.newCall(Echo.UNARY, options), "hello");
  }

  private static void assertOver(ManagedChannel channel) throws Exception {
    assertThat(channel.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
  }

  private static boolean hasNoStreams(Host host) {
    return host.connections().stream()
        .flatMap(connection -> connection.streams().stream())
        .noneMatch(stream -> stream.protocol().equals(PROTOCOL));
  }

  /** Where in the opening of a stream something is done. */
  private enum Moment {
    BEFORE,
    WHILE_IT_IS_OPENED,
    AS_IT_OPENS_ON_THE_EVENT_LOOP,
    AFTER
  }

  /** A host that does {@code action} at {@code moment} of the opening of each stream. */
  @SuppressWarnings("unchecked") // What newStream returns.
  private static Host meddling(Host host, Moment moment, Runnable action) {
    UnaryOperator<CompletableFuture<Stream>> meddled =
        stream -> {
          CompletableFuture<Stream> result = new CompletableFuture<>();
          stream.whenComplete(
              (opened, failure) -> {
                if (failure != null) {
                  result.completeExceptionally(failure);
                  return;
                }
                if (moment == Moment.AS_IT_OPENS_ON_THE_EVENT_LOOP) {
                  action.run();
                }
                if (!result.complete(opened)) {
                  opened.reset(); // As the host does with a stream that nobody wants any more.
                }
                if (moment == Moment.AFTER) {
                  action.run();
                }
              });
          return result;
        };
    return (Host)
        Proxy.newProxyInstance(
            Host.class.getClassLoader(),
            new Class<?>[] {Host.class},
            (proxy, method, arguments) -> {
              if (!method.getName().equals("newStream")) {
                return method.invoke(host, arguments);
              }
              if (moment == Moment.BEFORE) {
                action.run();
              }
              Object stream = method.invoke(host, arguments);
              if (moment == Moment.WHILE_IT_IS_OPENED) {
                action.run();
              }
              return meddled.apply((CompletableFuture<Stream>) stream);
            });
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("A channel that is shut down at any moment of its dial ends, and leaves no stream")
  void shutdownNowAtAnyMoment(Moment moment) throws Exception {
    CompletableFuture<ManagedChannel> made = new CompletableFuture<>();
    ManagedChannel channel =
        PeerChannelBuilder.forAddress(
                meddling(caller, moment, () -> made.join().shutdownNow()), address(peer), PROTOCOL)
            .build();
    made.complete(channel);
    ListenableFuture<String> call = call(channel, CallOptions.DEFAULT.withWaitForReady());
    assertThatThrownBy(() -> call.get(20, TimeUnit.SECONDS)).hasMessageContaining("UNAVAILABLE");
    assertOver(channel);
    eventually("no stream is left", () -> hasNoStreams(caller) && hasNoStreams(peer));
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("A channel that is shut down in order at any moment of its dial serves what waits")
  void shutdownAtAnyMoment(Moment moment) throws Exception {
    CompletableFuture<ManagedChannel> called = new CompletableFuture<>();
    Runnable shutdown = () -> called.thenAccept(ManagedChannel::shutdown);
    ManagedChannel channel =
        PeerChannelBuilder.forAddress(meddling(caller, moment, shutdown), address(peer), PROTOCOL)
            .build();
    ListenableFuture<String> call = call(channel, CallOptions.DEFAULT);
    called.complete(channel); // As gRPC dials before a call has begun.
    assertThat(call.get(20, TimeUnit.SECONDS)).isEqualTo("hello");
    assertOver(channel);
    eventually("no stream is left", () -> hasNoStreams(caller) && hasNoStreams(peer));
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("A channel whose host is shut down at any moment of its dial ends, and so do calls")
  void hostAtAnyMoment(Moment moment) throws Exception {
    ManagedChannel channel =
        PeerChannelBuilder.forAddress(
                meddling(caller, moment, () -> caller.shutdown(Duration.ofSeconds(5))),
                address(peer),
                PROTOCOL)
            .build();
    ListenableFuture<String> call = call(channel, CallOptions.DEFAULT.withWaitForReady());
    assertThatThrownBy(() -> call.get(20, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasMessageContaining("UNAVAILABLE")
        .hasMessageContaining("shut down");
    assertOver(channel);
    await(caller.shutdown(Duration.ofSeconds(5)));
  }

  @Test
  @DisplayName("A call that waits for a stream may send when its host is shut down")
  void sendingWithAHostThatIsShutDown() throws Exception {
    PeerId nobody = PeerId.of(PrivateKey.generateEd25519().publicKey());
    ManagedChannel channel = PeerChannelBuilder.forPeer(caller, nobody, PROTOCOL).build();
    Echo.Responses responses = new Echo.Responses();
    StreamObserver<String> call =
        ClientCalls.asyncBidiStreamingCall(
            channel.newCall(Echo.BIDI, CallOptions.DEFAULT.withWaitForReady()), responses);
    call.onNext("waits");
    await(caller.shutdown(Duration.ZERO));
    assertThatCode(
            () -> {
              call.onNext("too late");
              call.onCompleted();
            })
        .doesNotThrowAnyException();
    Status status = responses.failure();
    assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(status.getDescription()).contains("shut down", caller.peerId().toString());
  }

  @Test
  @DisplayName("Two hosts that dial each other at once, with channels both ways, serve all calls")
  void bothWaysAtOnce() throws Exception {
    caller.handle(
        PROTOCOL, GrpcStream.builder().addService(Echo.service()).build().serve().handler());
    for (int round = 0; round < 20; round++) {
      ManagedChannel there = PeerChannelBuilder.forAddress(caller, address(peer), PROTOCOL).build();
      ManagedChannel back = PeerChannelBuilder.forAddress(peer, address(caller), PROTOCOL).build();
      ListenableFuture<String> one = call(there, CallOptions.DEFAULT);
      ListenableFuture<String> two = call(back, CallOptions.DEFAULT);
      assertThat(one.get(20, TimeUnit.SECONDS)).isEqualTo("hello");
      assertThat(two.get(20, TimeUnit.SECONDS)).isEqualTo("hello");
      there.shutdown();
      back.shutdown();
      assertOver(there);
      assertOver(back);
      caller.connections().forEach(connection -> connection.close());
      eventually("they are gone", () -> caller.connections().isEmpty());
      eventually("they are gone there", () -> peer.connections().isEmpty());
    }
  }

  @Test
  @DisplayName("A builder makes several channels, each with a life of its own")
  void builderIsReused() throws Exception {
    PeerChannelBuilder builder = PeerChannelBuilder.forAddress(caller, address(peer), PROTOCOL);
    ManagedChannel first = builder.build();
    ManagedChannel second = builder.build();
    assertThat(Echo.unary(first, "1") + Echo.unary(second, "2")).isEqualTo("12");
    first.shutdownNow();
    assertOver(first);
    assertThat(Echo.unary(second, "3")).isEqualTo("3");
    second.shutdownNow();
    assertOver(second);
  }

  @Test
  @DisplayName("A builder that cannot build holds on to nothing, and can build when mended")
  void invalidServiceConfig() throws Exception {
    try (OwnLoader alone = OwnLoader.ofAll()) {
      assertThat(alone.run(InvalidConfig.class, "")).isEqualTo("mended");
    }
  }

  /** Run where nobody else uses gRPC, whose timer ends a second after its last user. */
  public static final class InvalidConfig implements Function<String, String> {
    @Override
    public String apply(String input) {
      PeerRaceTest test = new PeerRaceTest();
      try {
        return test.mendInvalidConfig();
      } catch (Exception e) {
        throw new AssertionError(e);
      } finally {
        test.close();
      }
    }
  }

  private String mendInvalidConfig() throws Exception {
    PeerChannelBuilder builder = PeerChannelBuilder.forAddress(caller, address(peer), PROTOCOL);
    builder.defaultServiceConfig(
        Map.of("loadBalancingConfig", List.of(Map.of("no_such_policy", Map.of()))));
    ScheduledExecutorService timer = SharedResourceHolder.get(GrpcUtil.TIMER_SERVICE);
    for (int i = 0; i < 3; i++) {
      assertThatThrownBy(builder::build).isInstanceOf(IllegalStateException.class);
    }
    ManagedChannel channel = builder.defaultServiceConfig(null).build();
    String answer = Echo.unary(channel, "mended");
    channel.shutdownNow();
    assertOver(channel);
    SharedResourceHolder.release(GrpcUtil.TIMER_SERVICE, timer);
    assertThat(timer.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
    return answer;
  }
}
