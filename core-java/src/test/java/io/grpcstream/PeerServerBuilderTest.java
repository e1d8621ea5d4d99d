package io.grpcstream;

import static io.grpcstream.Hosts.address;
import static io.grpcstream.Hosts.await;
import static io.grpcstream.Hosts.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Attributes;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerTransportFilter;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.grpc.util.MutableHandlerRegistry;
import io.grpcstream.libp2p.Host;
import java.io.IOException;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PeerServerBuilderTest {
  private static final String PROTOCOL = Wire.PROTOCOL;

  private final Hosts hosts = new Hosts();
  private final Host host = hosts.start(Hosts.TCP);
  private final Host caller = hosts.start(Hosts.TCP);

  @AfterEach
  void close() {
    hosts.close();
  }

  private PeerServerBuilder builder() {
    return PeerServerBuilder.forProtocol(host, PROTOCOL).addService(Echo.service());
  }

  private ManagedChannel channel(String protocol) {
    return PeerChannelBuilder.forAddress(caller, address(host), protocol).build();
  }

  @Test
  @DisplayName("A server is on its protocol from its start to its shutdown, once")
  void life() throws Exception {
    Server server = builder().build();
    assertThat(host.protocols()).doesNotContain(PROTOCOL);
    assertThat(server.start()).isSameAs(server);
    assertThat(host.protocols()).contains(PROTOCOL);
    assertThat(Echo.unary(channel(PROTOCOL), "x")).isEqualTo("x");
    assertThatThrownBy(server::start).isInstanceOf(IllegalStateException.class);
    assertThat(server.isShutdown()).isFalse();

    server.shutdown();
    assertThat(server.isShutdown()).isTrue();
    assertThat(host.protocols()).doesNotContain(PROTOCOL);
    assertThat(server.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
    assertThatThrownBy(server::start).isInstanceOf(IllegalStateException.class);
    assertThat(Echo.failure(channel(PROTOCOL)).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
  }

  @Test
  @DisplayName("A server that is shut down before its start is terminated")
  void shutdownBeforeStart() throws Exception {
    Server server = builder().build();
    server.shutdownNow();
    server.awaitTermination();
    assertThat(server.isTerminated()).isTrue();
  }

  @Test
  @DisplayName("A second server on a protocol does not start, and takes nothing from the first")
  void taken() throws Exception {
    Server first = builder().build().start();
    Server second = builder().build();
    assertThatThrownBy(second::start)
        .isInstanceOf(IOException.class)
        .hasMessageContaining(PROTOCOL)
        .hasMessageContaining(host.peerId().toString());
    second.shutdownNow();
    assertThat(Echo.unary(channel(PROTOCOL), "x")).isEqualTo("x");
    first.shutdownNow();
    Server third = builder().build().start();
    assertThat(Echo.unary(channel(PROTOCOL), "y")).isEqualTo("y");
    third.shutdownNow();
  }

  @Test
  @DisplayName("A host has several servers, each on its protocol")
  void several() throws Exception {
    Server first = builder().build().start();
    Server second =
        PeerServerBuilder.forProtocol(host, "/other/1.0.0")
            .addService(Echo.service(request -> "other"))
            .build()
            .start();
    assertThat(Echo.unary(channel(PROTOCOL), "x")).isEqualTo("x");
    assertThat(Echo.unary(channel("/other/1.0.0"), "x")).isEqualTo("other");
    first.shutdownNow();
    assertThat(Echo.unary(channel("/other/1.0.0"), "x")).isEqualTo("other");
    second.shutdownNow();
  }

  @Test
  @DisplayName("Calls in flight finish after shutdown, and are cut by shutdownNow")
  void shutdownWithCalls() throws Exception {
    Server server = builder().build().start();
    ManagedChannel channel = channel(PROTOCOL);
    Echo.Responses responses = new Echo.Responses();
    StreamObserver<String> call = Echo.bidi(channel, responses);
    call.onNext("before");
    assertThat(responses.next()).isEqualTo("before");
    server.shutdown();
    call.onNext("after");
    assertThat(responses.next()).isEqualTo("after");
    assertThat(server.awaitTermination(1, TimeUnit.MILLISECONDS)).isFalse();
    server.shutdownNow();
    assertThat(responses.failure().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(server.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  @DisplayName("A server shows its services and where it is reached")
  void shows() throws Exception {
    Server server = builder().health().reflection().build().start();
    assertThat(server.getServices())
        .extracting(service -> service.getServiceDescriptor().getName())
        .contains(Echo.NAME, "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection");
    assertThat(server.getListenSockets())
        .asString()
        .contains(host.peerId().toString(), "/tcp/" + server.getPort());
    assertThat(address(host).value("tcp")).contains(String.valueOf(server.getPort()));
    server.shutdownNow();
    Host memory = hosts.start(Hosts.MEMORY);
    Server portless =
        PeerServerBuilder.forProtocol(memory, PROTOCOL).addService(Echo.service()).build().start();
    assertThat(portless.getPort()).isEqualTo(-1);
    portless.shutdownNow();
  }

  @Test
  @DisplayName("Of interceptors the one added last runs first, and transports are filtered")
  void interceptorsAndFilters() throws Exception {
    Queue<String> order = new ConcurrentLinkedQueue<>();
    AtomicInteger ended = new AtomicInteger();
    Server server =
        builder()
            .intercept(noting("first", order))
            .intercept(noting("last", order))
            .addTransportFilter(
                new ServerTransportFilter() {
                  @Override
                  public Attributes transportReady(Attributes attributes) {
                    order.add("transport");
                    return attributes;
                  }

                  @Override
                  public void transportTerminated(Attributes attributes) {
                    ended.incrementAndGet();
                  }
                })
            .build()
            .start();
    Echo.unary(channel(PROTOCOL), "x");
    assertThat(order).containsExactly("transport", "last", "first");
    server.shutdownNow();
    eventually("the transport has ended", () -> ended.get() == 1);
  }

  private static ServerInterceptor noting(String name, Queue<String> order) {
    return new ServerInterceptor() {
      @Override
      public <Q, R> ServerCall.Listener<Q> interceptCall(
          ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
        order.add(name);
        return next.startCall(call, headers);
      }
    };
  }

  @Test
  @DisplayName("What no service has is asked of the fallback registry, as it is then")
  void fallback() throws Exception {
    MutableHandlerRegistry registry = new MutableHandlerRegistry();
    Server server =
        PeerServerBuilder.forProtocol(host, PROTOCOL)
            .fallbackHandlerRegistry(registry)
            .build()
            .start();
    ManagedChannel channel = channel(PROTOCOL);
    assertThat(Echo.failure(channel).getCode()).isEqualTo(Status.Code.UNIMPLEMENTED);
    registry.addService(Echo.service(request -> "late"));
    assertThat(Echo.unary(channel, "x")).isEqualTo("late");
    server.shutdownNow();
  }

  @Test
  @DisplayName("A server ends with its host, and does not start on one that has ended")
  void hostEnds() throws Exception {
    Server server = builder().build().start();
    Echo.unary(channel(PROTOCOL), "x");
    await(host.shutdown(Duration.ofSeconds(10)));
    assertThat(server.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
    Server late = builder().build();
    assertThatThrownBy(late::start)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("shut down")
        .hasMessageContaining(host.peerId().toString());
    assertThat(host.protocols()).doesNotContain(PROTOCOL);
    late.shutdownNow();
    assertThat(late.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  @DisplayName("A builder builds one server, as it says")
  void buildsOnce() {
    PeerServerBuilder builder = builder();
    builder.build();
    assertThatThrownBy(builder::build)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(PROTOCOL);
  }
}
