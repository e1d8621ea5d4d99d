package io.grpcstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.ManagedChannel;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.Status.Code;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.reflection.v1.ServiceResponse;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ServicesTest {
  private final Wire wire = Wire.local();
  private GrpcStream grpc = GrpcStream.create();

  @AfterEach
  void close() throws Exception {
    grpc.shutdown(Duration.ZERO).toCompletableFuture().get(10, TimeUnit.SECONDS);
    wire.close();
  }

  private ManagedChannel open() {
    return GrpcStream.wrapClient(wire.open(grpc.handler()));
  }

  @Test
  void serviceRegisteredBeforeServeIsServed() {
    grpc.registerService(Echo.service()).serve();

    assertThat(Echo.unary(open(), "hello")).isEqualTo("hello");
  }

  @Test
  @DisplayName("A service can be registered, replaced and unregistered while serving")
  void servicesChangeWhileServing() {
    grpc.serve();
    ManagedChannel channel = open();
    assertThat(Echo.failure(channel).getCode()).isEqualTo(Code.UNIMPLEMENTED);

    grpc.registerService(Echo.service());
    assertThat(Echo.unary(channel, "hello")).isEqualTo("hello");
    grpc.registerService(Echo.service(request -> "new " + request));
    assertThat(Echo.unary(channel, "hello")).isEqualTo("new hello");

    assertThat(grpc.unregisterService(Echo.NAME)).isTrue();
    assertThat(Echo.failure(channel).getCode()).isEqualTo(Code.UNIMPLEMENTED);
    assertThat(grpc.unregisterService(Echo.NAME)).isFalse();
  }

  @Test
  @DisplayName("A call in flight outlives the unregistration of its service")
  void callOutlivesItsUnregistration() throws Exception {
    grpc.registerService(Echo.service()).serve();
    Echo.Responses responses = new Echo.Responses();
    var call = Echo.bidi(open(), responses);
    call.onNext("before");
    assertThat(responses.next()).isEqualTo("before");
    grpc.unregisterService(Echo.NAME);

    call.onNext("after");
    assertThat(responses.next()).isEqualTo("after");
    call.onCompleted();
    responses.awaitEnd();
  }

  @Test
  void grpcServerStartsServingAndListsServices() {
    grpc.registerService(Echo.service());
    ManagedChannel waiting = open();
    assertThatThrownBy(() -> grpc.healthStatus()).isInstanceOf(IllegalStateException.class);

    assertThat(grpc.grpcServer().getServices())
        .extracting(ServerServiceDefinition::getServiceDescriptor)
        .extracting(ServiceDescriptor::getName)
        .containsExactly(Echo.NAME);
    assertThat(grpc.grpcServer().getListenSockets()).singleElement().isEqualTo(grpc.address());
    start();
    assertThat(Echo.unary(waiting, "hello")).isEqualTo("hello");
  }

  private void start() {
    try {
      grpc.grpcServer().start();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void healthIsOneCall() {
    grpc = GrpcStream.builder().health().build().serve();
    var health = HealthGrpc.newBlockingStub(open());
    assertThat(health.check(HealthCheckRequest.getDefaultInstance()).getStatus())
        .isEqualTo(ServingStatus.SERVING);

    grpc.registerService(Echo.service());
    HealthCheckRequest echo = HealthCheckRequest.newBuilder().setService(Echo.NAME).build();
    assertThat(health.check(echo).getStatus()).isEqualTo(ServingStatus.SERVING);
    grpc.healthStatus().setStatus(Echo.NAME, ServingStatus.NOT_SERVING);
    grpc.registerService(Echo.service()); // In place of itself.
    assertThat(health.check(echo).getStatus()).isEqualTo(ServingStatus.NOT_SERVING);
    grpc.unregisterService(Echo.NAME);
    assertThatThrownBy(() -> health.check(echo)).hasMessageContaining("NOT_FOUND");
  }

  @Test
  @DisplayName("Reflection is one call, and knows services registered later")
  void reflectionKnowsLaterServices() throws Exception {
    grpc = GrpcStream.builder().reflection().build().serve();
    grpc.registerService(new HealthStatusManager().getHealthService());
    CompletableFuture<ServerReflectionResponse> answer = new CompletableFuture<>();
    StreamObserver<ServerReflectionRequest> call =
        ServerReflectionGrpc.newStub(open()).serverReflectionInfo(new First<>(answer));
    call.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());

    assertThat(answer.get(10, TimeUnit.SECONDS).getListServicesResponse().getServiceList())
        .extracting(ServiceResponse::getName)
        .contains(
            HealthGrpc.SERVICE_NAME,
            "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection");
    call.onCompleted();
  }

  private record First<T>(CompletableFuture<T> value) implements StreamObserver<T> {
    @Override
    public void onNext(T next) {
      value.complete(next);
    }

    @Override
    public void onError(Throwable failure) {
      value.completeExceptionally(failure);
    }

    @Override
    public void onCompleted() {
      value.completeExceptionally(new IllegalStateException("no value"));
    }
  }
}
