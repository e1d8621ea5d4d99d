package io.grpcstream;

import static io.grpcstream.Hosts.address;
import static io.grpcstream.Hosts.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.grpc.Attributes;
import io.grpc.BinaryLog;
import io.grpc.CallCredentials;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.CompositeChannelCredentials;
import io.grpc.ConnectivityState;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.SecurityLevel;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerTransportFilter;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpcstream.libp2p.Host;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** gRPC's options of channels and servers, which mean what they mean elsewhere. */
@Timeout(60)
class PeerOptionsTest {
  private static final Metadata.Key<String> TOKEN =
      Metadata.Key.of("token", Metadata.ASCII_STRING_MARSHALLER);

  private final Hosts hosts = new Hosts();
  private final Host host = hosts.start(Hosts.MEMORY);
  private final Host caller = hosts.start(Hosts.MEMORY);
  private final String target = "libp2p:" + address(host);
  private final List<ManagedChannel> channels = new ArrayList<>();
  private final Queue<String> seen = new ConcurrentLinkedQueue<>();

  @AfterEach
  void close() throws Exception {
    for (ManagedChannel channel : channels) {
      channel.shutdownNow();
      assertThat(channel.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
    }
    hosts.close();
  }

  private PeerServerBuilder server() {
    return PeerServerBuilder.forProtocol(host, GrpcStream.PROTOCOL)
        .addService(Echo.service())
        .intercept(
            new ServerInterceptor() {
              @Override
              public <Q, R> ServerCall.Listener<Q> interceptCall(
                  ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
                seen.add(call.getAuthority() + " " + headers.get(TOKEN));
                return next.startCall(call, headers);
              }
            });
  }

  private PeerChannelBuilder to() {
    return PeerChannelBuilder.forTarget(caller, target);
  }

  private ManagedChannel build(ManagedChannelBuilder<?> builder) {
    ManagedChannel channel = builder.build();
    channels.add(channel);
    return channel;
  }

  private long streams() {
    return caller.connections().stream()
        .flatMap(connection -> connection.streams().stream())
        .filter(stream -> stream.protocol().equals(GrpcStream.PROTOCOL))
        .count();
  }

  @Test
  @DisplayName("Calls over many ages of the server's connections all succeed")
  void maxConnectionAge() throws Exception {
    AtomicInteger transports = new AtomicInteger();
    Server server =
        server()
            .maxConnectionAge(1, TimeUnit.SECONDS)
            .maxConnectionAgeGrace(20, TimeUnit.SECONDS)
            .addTransportFilter(
                new ServerTransportFilter() {
                  @Override
                  public Attributes transportReady(Attributes attributes) {
                    transports.incrementAndGet();
                    return attributes;
                  }
                })
            .build()
            .start();
    List<ManagedChannel> several = List.of(build(to()), build(to()), build(to()), build(to()));
    int calls = 0;
    while (transports.get() < 16 || calls < 1_000) { // Each channel is on its fourth.
      for (ManagedChannel channel : several) {
        var call =
            ClientCalls.futureUnaryCall(channel.newCall(Echo.UNARY, CallOptions.DEFAULT), "x");
        assertThat(Echo.serverStream(channel, "y")).hasSize(3);
        assertThat(call.get(20, TimeUnit.SECONDS)).isEqualTo("x");
        calls += 2;
      }
    }
    assertThat(caller.connections()).hasSize(1);
    server.shutdownNow();
  }

  @Test
  @DisplayName("An idle channel closes its stream, and opens one with the next call")
  void idle() throws Exception {
    Server server = server().build().start();
    ManagedChannel channel = build(to().idleTimeout(1, TimeUnit.SECONDS));
    Echo.unary(channel, "x");
    assertThat(streams()).isEqualTo(1);
    eventually("it is idle", () -> channel.getState(false) == ConnectivityState.IDLE);
    eventually("its stream is closed", () -> streams() == 0);
    assertThat(caller.connections()).hasSize(1);
    Echo.unary(channel, "x");
    channel.enterIdle();
    eventually("its stream is closed", () -> streams() == 0);
    assertThat(Echo.unary(channel, "x")).isEqualTo("x");
    server.shutdownNow();
  }

  @Test
  @DisplayName("States are told as they change")
  void states() throws Exception {
    Server server = server().build().start();
    ManagedChannel channel = build(to());
    Queue<ConnectivityState> states = new ConcurrentLinkedQueue<>();
    watch(channel, ConnectivityState.IDLE, states);
    assertThat(channel.getState(true)).isEqualTo(ConnectivityState.IDLE);
    eventually("it is ready", () -> states.contains(ConnectivityState.READY));
    channel.shutdown();
    eventually("it is shut down", () -> states.contains(ConnectivityState.SHUTDOWN));
    assertThat(states)
        .containsSubsequence(
            ConnectivityState.CONNECTING, ConnectivityState.READY, ConnectivityState.SHUTDOWN);
    server.shutdownNow();
  }

  private static void watch(
      ManagedChannel channel, ConnectivityState from, Queue<ConnectivityState> states) {
    channel.notifyWhenStateChanged(
        from,
        () -> {
          ConnectivityState now = channel.getState(false);
          states.add(now);
          if (now != ConnectivityState.SHUTDOWN) {
            watch(channel, now, states);
          }
        });
  }

  @Test
  @DisplayName("Credentials of calls go out, as the channel is private, and can refuse")
  void callCredentials() throws Exception {
    Server server = server().build().start();
    AtomicReference<SecurityLevel> level = new AtomicReference<>();
    AtomicReference<String> authority = new AtomicReference<>();
    CallCredentials token =
        new CallCredentials() {
          @Override
          public void applyRequestMetadata(
              RequestInfo info, Executor executor, MetadataApplier applier) {
            level.set(info.getSecurityLevel());
            authority.set(info.getAuthority());
            Metadata headers = new Metadata();
            headers.put(TOKEN, "secret");
            applier.apply(headers);
          }
        };
    CallCredentials none =
        new CallCredentials() {
          @Override
          public void applyRequestMetadata(
              RequestInfo info, Executor executor, MetadataApplier applier) {
            applier.fail(Status.UNAUTHENTICATED.withDescription("no token"));
          }
        };
    ManagedChannel composed =
        build(
            Grpc.newChannelBuilder(
                target,
                CompositeChannelCredentials.create(PeerChannelCredentials.create(caller), token)));
    Echo.unary(composed, "x");
    assertThat(level.get()).isEqualTo(SecurityLevel.PRIVACY_AND_INTEGRITY);
    assertThat(authority.get()).isEqualTo(host.peerId().toString());
    assertThat(seen).containsExactly(host.peerId() + " secret");
    Status refused = Echo.failure(build(to()), CallOptions.DEFAULT.withCallCredentials(none));
    assertThat(refused.getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
    assertThat(refused.getDescription()).contains("no token");
    server.shutdownNow();
  }

  @Test
  @DisplayName("The authority is the peer, or what the user says, of a channel or a call")
  void authority() throws Exception {
    Server server = server().build().start();
    Echo.unary(build(to()), "x");
    ManagedChannel named = build(to().overrideAuthority("greeter.example"));
    Echo.unary(named, "x");
    ClientCalls.blockingUnaryCall(
        named, Echo.UNARY, CallOptions.DEFAULT.withAuthority("other.example"), "x");
    assertThat(seen)
        .containsExactly(host.peerId() + " null", "greeter.example null", "other.example null");
    server.shutdownNow();
  }

  @Test
  @DisplayName("Messages are limited and compressed, and the binary log sees them")
  void messages() throws Exception {
    Server server = server().build().start();
    List<String> logged = new ArrayList<>();
    BinaryLog log =
        new BinaryLog() {
          @Override
          public <Q, R> ServerMethodDefinition<?, ?> wrapMethodDefinition(
              ServerMethodDefinition<Q, R> method) {
            return method;
          }

          @Override
          public Channel wrapChannel(Channel channel) {
            return ClientInterceptors.intercept(
                channel,
                new ClientInterceptor() {
                  @Override
                  public <Q, R> ClientCall<Q, R> interceptCall(
                      MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
                    logged.add(method.getFullMethodName());
                    return next.newCall(method, options);
                  }
                });
          }

          @Override
          public void close() {
            logged.add("closed");
          }
        };
    ManagedChannel channel = build(to().maxInboundMessageSize(1_000).setBinaryLog(log));
    String small = "x".repeat(900);
    CallOptions compressed = CallOptions.DEFAULT.withCompression("gzip");
    assertThat(ClientCalls.blockingUnaryCall(channel, Echo.UNARY, compressed, small))
        .isEqualTo(small);
    assertThat(logged).containsExactly(Echo.UNARY.getFullMethodName());
    Status large =
        Status.fromThrowable(catchThrowable(() -> Echo.unary(channel, "x".repeat(1_001))));
    assertThat(large.getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(Echo.unary(channel, "still there")).isEqualTo("still there");
    server.shutdownNow();
  }
}
