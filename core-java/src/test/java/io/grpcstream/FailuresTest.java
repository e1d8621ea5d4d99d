package io.grpcstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.CallOptions;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What becomes of the failures of services and interceptors written in Java. */
@Timeout(60)
class FailuresTest {
  private static final Metadata.Key<String> REASON =
      Metadata.Key.of("x-reason", Metadata.ASCII_STRING_MARSHALLER);

  private final Wire wire = Wire.local();
  private final Logged log = new Logged();
  private GrpcStream grpc = GrpcStream.create();
  private io.grpcstream.libp2p.Stream stream;

  @AfterEach
  void close() throws Exception {
    log.close();
    grpc.shutdown(Duration.ZERO).toCompletableFuture().get(10, TimeUnit.SECONDS);
    wire.close();
  }

  private ManagedChannel serve(GrpcStream.Builder builder) {
    grpc = builder.build().serve();
    stream = wire.open(grpc.handler());
    return GrpcStream.wrapClient(stream);
  }

  private static ServerServiceDefinition throwing(Supplier<? extends Throwable> failure) {
    return Echo.service(
        request -> {
          FailuresTest.<RuntimeException>raise(failure.get());
          return request;
        });
  }

  /** Throws anything, as services in other languages may. */
  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  private static <T extends Throwable> void raise(Throwable failure) throws T {
    throw (T) failure;
  }

  /** The statuses of a call of each kind. */
  private static List<Status> failures(ManagedChannel channel) {
    return Stream.of(Echo.UNARY, Echo.SERVER_STREAM, Echo.CLIENT_STREAM, Echo.BIDI)
        .map(method -> failure(channel, method).getStatus())
        .toList();
  }

  private static StatusRuntimeException failure(
      ManagedChannel channel, MethodDescriptor<String, String> method) {
    Echo.Responses responses = new Echo.Responses();
    CompletableFuture<StatusRuntimeException> failure = new CompletableFuture<>();
    StreamObserver<String> requests =
        ClientCalls.asyncBidiStreamingCall(
            channel.newCall(method, CallOptions.DEFAULT),
            new StreamObserver<String>() {
              @Override
              public void onNext(String response) {
                responses.onNext(response);
              }

              @Override
              public void onError(Throwable cause) {
                failure.complete((StatusRuntimeException) cause);
              }

              @Override
              public void onCompleted() {
                failure.completeExceptionally(new AssertionError("the call has not failed"));
              }
            });
    requests.onNext("request");
    requests.onCompleted();
    return failure.orTimeout(20, TimeUnit.SECONDS).join();
  }

  /** As it may be made by code that builds its text on demand. */
  private static final class Untellable extends RuntimeException {
    private static final long serialVersionUID = 1L;

    @Override
    public String getMessage() {
      throw new IllegalStateException("no text to be had");
    }
  }

  @Test
  @DisplayName("A failure that cannot be put into words ends its call all the same, also in hooks")
  void untellableFailure() {
    ManagedChannel channel =
        serve(GrpcStream.builder().addService(throwing(Untellable::new)).mapFailure(f -> null));
    assertThat(failures(channel)).allMatch(status -> status.getCode() == Code.UNKNOWN);
    log.await("ERROR", "test.Echo/Unary", stream.localPeer(), "its failure cannot be logged");
    log.await("no text to be had");
  }

  @Test
  @DisplayName("So does one that a hook throws in place of a status")
  void untellableFailureOfAHook() {
    ManagedChannel channel =
        serve(
            GrpcStream.builder()
                .addService(throwing(() -> new IOException("the disk is full")))
                .mapFailure(
                    failure -> {
                      throw new Untellable();
                    }));
    assertThat(failures(channel)).allMatch(status -> status.getCode() == Code.INTERNAL);
  }

  @Test
  @DisplayName("A service that throws is logged once, with peer, method and stack")
  void throwingServiceIsLoggedOnce() {
    ManagedChannel channel =
        serve(GrpcStream.builder().addService(throwing(() -> new IOException("the disk is full"))));

    for (Status status : failures(channel)) {
      assertThat(status.getCode()).isEqualTo(Code.UNKNOWN);
      assertThat(status.getDescription()).isNull();
    }

    for (String method : List.of("Unary", "ServerStream", "ClientStream", "Bidi")) {
      log.await("ERROR", "test.Echo/" + method, stream.localPeer(), "failed with UNKNOWN");
    }
    assertThat(log.count("failed with UNKNOWN")).isEqualTo(4);
    assertThat(log.count("java.io.IOException: the disk is full")).isEqualTo(4);
    assertThat(log.stackLines()).anyMatch(line -> line.contains("FailuresTest"));
    assertThat(log.grpcLines()).isEmpty();
  }

  @Test
  @DisplayName("Only exceptions that can mean one thing become anything but UNKNOWN")
  void unambiguousExceptionsAreMapped() {
    Map<Throwable, Code> expected =
        Map.of(
            new IllegalStateException("secret"), Code.UNKNOWN,
            new IllegalArgumentException("secret"), Code.UNKNOWN,
            new NoSuchElementException("secret"), Code.UNKNOWN,
            new UnsupportedOperationException("secret"), Code.UNKNOWN,
            new IOException("secret"), Code.UNKNOWN,
            new RuntimeException(Status.DATA_LOSS.asException()), Code.UNKNOWN,
            new TimeoutException("secret"), Code.DEADLINE_EXCEEDED,
            new CancellationException("secret"), Code.CANCELLED,
            new SecurityException("secret"), Code.PERMISSION_DENIED);
    AtomicReference<Throwable> failure = new AtomicReference<>();
    ManagedChannel channel = serve(GrpcStream.builder().addService(throwing(failure::get)));

    expected.forEach(
        (thrown, code) -> {
          failure.set(thrown);
          for (Status status : failures(channel)) {
            assertThat(status.getCode()).as(thrown.toString()).isEqualTo(code);
            assertThat(status.getDescription()).isNull();
          }
        });
    assertThat(log.grpcLines()).isEmpty();
  }

  @Test
  void oneLineGivesTheJdksExceptionsCodesOfTheirOwn() {
    Map<RuntimeException, Code> expected =
        Map.of(
            new NumberFormatException("secret"), Code.INVALID_ARGUMENT,
            new NoSuchElementException("secret"), Code.NOT_FOUND,
            new IllegalStateException("secret"), Code.FAILED_PRECONDITION,
            new UnsupportedOperationException("secret"), Code.UNIMPLEMENTED,
            new CancellationException("secret"), Code.CANCELLED,
            new UncheckedIOException(new IOException("secret")), Code.UNKNOWN);
    AtomicReference<Throwable> failure = new AtomicReference<>();
    ManagedChannel channel =
        serve(
            GrpcStream.builder()
                .addService(throwing(failure::get))
                .mapFailure(ExceptionTypes::statusOf));

    expected.forEach(
        (thrown, code) -> {
          failure.set(thrown);
          assertThat(Echo.failure(channel).getCode()).as(thrown.toString()).isEqualTo(code);
        });
  }

  @Test
  @DisplayName("The hooks are asked in their order, before the types are")
  void hooksAreAskedBeforeTheTypes() {
    ManagedChannel channel =
        serve(
            GrpcStream.builder()
                .addService(throwing(() -> new SecurityException("full")))
                .mapFailure(failure -> null)
                .mapFailure(
                    failure ->
                        Status.RESOURCE_EXHAUSTED.withDescription("disk " + failure.getMessage()))
                .mapFailure(
                    failure -> {
                      throw new AssertionError("not reached");
                    }));

    for (Status status : failures(channel)) {
      assertThat(status.getCode()).isEqualTo(Code.RESOURCE_EXHAUSTED);
      assertThat(status.getDescription()).isEqualTo("disk full");
    }
    assertThat(log.allLines()).as("all of it was foreseen").isEmpty();
  }

  @Test
  @DisplayName("A hook that fails, or makes a success of a failure, makes it INTERNAL")
  void hookThatFailsOrMakesASuccess() {
    for (Supplier<Status> hook :
        List.<Supplier<Status>>of(
            () -> Status.OK,
            () -> {
              throw new IllegalStateException("broken hook");
            })) {
      ManagedChannel channel =
          serve(
              GrpcStream.builder()
                  .addService(throwing(IOException::new))
                  .mapFailure(failure -> hook.get()));
      Status status = Echo.failure(channel);
      assertThat(status.getCode()).isEqualTo(Code.INTERNAL);
      assertThat(status.getDescription()).isNull();
    }
    assertThat(log.count("mapFailure failed")).isEqualTo(2);
    assertThat(log.count("failed with INTERNAL")).isZero(); // The one line tells of both failures.
  }

  @Test
  @DisplayName(
      "A status that is thrown goes out with its trailers, and its cause is logged if it is INTERNAL")
  void thrownStatusGoesOutWithTrailers() {
    Metadata trailers = new Metadata();
    trailers.put(REASON, "busy");
    AtomicReference<Status> thrown =
        new AtomicReference<>(Status.ABORTED.withDescription("try again"));
    ManagedChannel channel =
        serve(
            GrpcStream.builder()
                .addService(throwing(() -> thrown.get().asRuntimeException(trailers))));

    StatusRuntimeException failure = failure(channel, Echo.BIDI);
    assertThat(failure.getStatus().getCode()).isEqualTo(Code.ABORTED);
    assertThat(failure.getStatus().getDescription()).isEqualTo("try again");
    assertThat(failure.getTrailers().getAll(REASON)).containsExactly("busy");
    assertThat(log.allLines()).isEmpty();

    thrown.set(thrown.get().withCause(new IOException("the disk is full")));
    failure(channel, Echo.BIDI);
    assertThat(log.allLines()).isEmpty();

    thrown.set(Status.INTERNAL.withCause(new IOException("the disk is full")));
    failure(channel, Echo.BIDI);
    log.await("ERROR", "test.Echo/Bidi", "failed with INTERNAL");
    assertThat(log.count("the disk is full")).isEqualTo(1);
    assertThat(log.stackLines()).isNotEmpty();
  }

  @Test
  @DisplayName("A failure without a status given to onError is mapped")
  void onErrorWithoutAStatus() {
    ServerServiceDefinition service =
        ServerServiceDefinition.builder(Echo.NAME)
            .addMethod(
                Echo.UNARY,
                ServerCalls.asyncUnaryCall(
                    (String request, StreamObserver<String> responses) ->
                        responses.onError(new IOException("the disk is full"))))
            .build();
    ManagedChannel channel =
        serve(
            GrpcStream.builder()
                .addService(service)
                .mapFailure(failure -> failure instanceof IOException ? Status.UNAVAILABLE : null));

    assertThat(Echo.failure(channel).getCode()).isEqualTo(Code.UNAVAILABLE);
    assertThat(log.allLines()).isEmpty();
  }

  @Test
  @DisplayName("Interceptors that throw end their call alone, and loudly")
  void throwingInterceptors() {
    Map<String, ServerInterceptor> interceptors =
        Map.of(
            "in interceptCall", new Failing("interceptCall"),
            "in a listener", new Failing("onHalfClose"),
            "in close", new Failing("close"));
    interceptors.forEach(
        (where, interceptor) -> {
          ManagedChannel channel =
              serve(
                  GrpcStream.builder()
                      .addService(Echo.service())
                      .intercept(interceptor)
                      .mapFailure(failure -> Status.INTERNAL));
          assertThat(Echo.failure(channel).getCode()).as(where).isEqualTo(Code.INTERNAL);
          log.await("test.Echo/Unary", stream.localPeer(), "failed with INTERNAL");
          assertThat(log.count("broken " + where)).isEqualTo(1);
        });
    assertThat(log.grpcLines()).isEmpty();
  }

  /** Throws at one point. */
  private record Failing(String at) implements ServerInterceptor {
    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
      fail("interceptCall", "in interceptCall");
      ServerCall<Q, R> forwarding =
          new SimpleForwardingServerCall<>(call) {
            @Override
            public void close(Status status, Metadata trailers) {
              fail("close", "in close");
              super.close(status, trailers);
            }
          };
      return new SimpleForwardingServerCallListener<>(next.startCall(forwarding, headers)) {
        @Override
        public void onHalfClose() {
          fail("onHalfClose", "in a listener");
          super.onHalfClose();
        }
      };
    }

    private void fail(String point, String where) {
      if (at.equals(point)) {
        throw new IllegalStateException("broken " + where);
      }
    }
  }

  @Test
  void anInterceptorMayHandleWhatTheServiceThrows() {
    ServerInterceptor handling =
        new ServerInterceptor() {
          @Override
          public <Q, R> ServerCall.Listener<Q> interceptCall(
              ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
            return new SimpleForwardingServerCallListener<>(next.startCall(call, headers)) {
              @Override
              public void onHalfClose() {
                try {
                  super.onHalfClose();
                } catch (UncheckedIOException e) {
                  call.close(Status.OUT_OF_RANGE, new Metadata());
                }
              }
            };
          }
        };
    ManagedChannel channel =
        serve(
            GrpcStream.builder()
                .addService(throwing(() -> new UncheckedIOException(new IOException())))
                .intercept(handling));

    assertThat(Echo.failure(channel).getCode()).isEqualTo(Code.OUT_OF_RANGE);
    assertThat(log.allLines()).isEmpty();
  }

  @Test
  void aMethodThatCannotStartItsCallEndsIt() {
    ServerServiceDefinition service =
        ServerServiceDefinition.builder(Echo.NAME)
            .addMethod(
                Echo.UNARY,
                (call, headers) -> {
                  throw new IllegalStateException("not today");
                })
            .addMethod(Echo.BIDI, (call, headers) -> null)
            .build();
    ManagedChannel channel = serve(GrpcStream.builder().addService(service));

    assertThat(failure(channel, Echo.UNARY).getStatus().getCode()).isEqualTo(Code.UNKNOWN);
    assertThat(failure(channel, Echo.BIDI).getStatus().getCode()).isEqualTo(Code.UNKNOWN);
    log.await("test.Echo/Unary", "failed with UNKNOWN");
    log.await("test.Echo/Bidi", "failed with UNKNOWN");
    assertThat(log.count("no listener returned by startCall")).isEqualTo(1);
    assertThat(log.grpcLines()).isEmpty();
  }

  @Test
  void anErrorOnTheEventLoopEndsItsCallAlone() throws Exception {
    AtomicReference<Error> error = new AtomicReference<>();
    ServerServiceDefinition service =
        Echo.service(
            request -> {
              if (request.equals("overflow")) {
                return deeper(request);
              }
              if (request.equals("error")) {
                throw error.get();
              }
              return request;
            });
    ManagedChannel channel = serve(GrpcStream.builder().addService(service).directExecutor());
    Echo.Responses responses = new Echo.Responses();
    StreamObserver<String> other = Echo.bidi(channel, responses);

    for (Error thrown : List.of(new OutOfMemoryError("too large"), new LinkageError("old jar"))) {
      error.set(thrown);
      Echo.Responses failing = new Echo.Responses();
      Echo.bidi(channel, failing).onNext("error");
      assertThat(failing.failure().getCode()).isEqualTo(Code.UNKNOWN);
    }
    Echo.Responses failing = new Echo.Responses();
    Echo.bidi(channel, failing).onNext("overflow");
    assertThat(failing.failure().getCode()).isEqualTo(Code.UNKNOWN);

    other.onNext("still here");
    assertThat(responses.next()).isEqualTo("still here");
    log.await("java.lang.OutOfMemoryError: too large");
    log.await("java.lang.LinkageError: old jar");
    log.await("java.lang.StackOverflowError");
    assertThat(log.grpcLines()).isEmpty();
  }

  private static String deeper(String text) {
    return text.isEmpty() ? text : deeper(text) + text;
  }

  @Test
  @DisplayName("A service that throws after its answer is logged, and the answer holds")
  void serviceThatThrowsAfterItsAnswer() {
    ServerServiceDefinition service =
        ServerServiceDefinition.builder(Echo.NAME)
            .addMethod(
                Echo.UNARY,
                ServerCalls.asyncUnaryCall(
                    (String request, StreamObserver<String> responses) -> {
                      responses.onNext(request);
                      responses.onCompleted();
                      throw new IllegalStateException("one step too far");
                    }))
            .build();
    ManagedChannel channel = serve(GrpcStream.builder().addService(service));

    assertThat(Echo.unary(channel, "hello")).isEqualTo("hello");
    log.await("ERROR", "test.Echo/Unary", stream.localPeer(), "failed after its end");
    assertThat(log.grpcLines()).isEmpty();
  }

  @Test
  @DisplayName("A service whose call has failed hears that it is cancelled, and may send in vain")
  void failedServiceHearsItIsCancelled() throws Exception {
    CompletableFuture<StreamObserver<String>> observer = new CompletableFuture<>();
    CompletableFuture<Void> cancelled = new CompletableFuture<>();
    ServerServiceDefinition service =
        ServerServiceDefinition.builder(Echo.NAME)
            .addMethod(
                Echo.BIDI,
                ServerCalls.asyncBidiStreamingCall(
                    (StreamObserver<String> responses) -> {
                      var call = (ServerCallStreamObserver<String>) responses;
                      call.setOnCancelHandler(() -> cancelled.complete(null));
                      observer.complete(responses);
                      return new StreamObserver<String>() {
                        @Override
                        public void onNext(String request) {
                          throw new IllegalStateException("cannot");
                        }

                        @Override
                        public void onError(Throwable failure) {}

                        @Override
                        public void onCompleted() {}
                      };
                    }))
            .build();
    ManagedChannel channel = serve(GrpcStream.builder().addService(service));

    assertThat(failure(channel, Echo.BIDI).getStatus().getCode()).isEqualTo(Code.UNKNOWN);
    cancelled.get(10, TimeUnit.SECONDS);
    observer.get().onNext("in vain");
    observer.get().onCompleted();
    assertThat(log.grpcLines()).isEmpty();
  }

  @Test
  @DisplayName(
      "A request that is no message is the peer's fault, and costs one line without a stack")
  void requestThatIsNoMessage() {
    ManagedChannel channel = serve(GrpcStream.builder().health());
    MethodDescriptor<String, String> garbled =
        Echo.UNARY.toBuilder()
            .setFullMethodName(HealthGrpc.getCheckMethod().getFullMethodName())
            .build();

    for (int i = 0; i < 100; i++) {
      Status status = failure(channel, garbled).getStatus();
      assertThat(status.getCode()).isEqualTo(Code.INTERNAL);
    }
    log.await("WARN", "grpc.health.v1.Health/Check", stream.localPeer(), "malformed request");
    assertThat(log.allLines()).hasSize(1);
  }

  @Test
  @DisplayName("A service that hears of a lost caller by an exception is no news")
  void lostCallerHeardOfByAnException() throws Exception {
    CompletableFuture<Void> heard = new CompletableFuture<>();
    ServerServiceDefinition service =
        ServerServiceDefinition.builder(Echo.NAME)
            .addMethod(
                Echo.BIDI,
                ServerCalls.asyncBidiStreamingCall(
                    (StreamObserver<String> responses) -> {
                      responses.onNext("here");
                      return new StreamObserver<String>() {
                        @Override
                        public void onNext(String request) {}

                        @Override
                        public void onError(Throwable failure) {
                          heard.complete(null);
                          responses.onNext("are you there?"); // Throws that the call is cancelled.
                        }

                        @Override
                        public void onCompleted() {}
                      };
                    }))
            .build();
    ManagedChannel channel = serve(GrpcStream.builder().addService(service).directExecutor());
    Echo.Responses responses = new Echo.Responses();
    StreamObserver<String> requests = Echo.bidi(channel, responses);
    assertThat(responses.next()).isEqualTo("here");
    requests.onError(Status.CANCELLED.asException());
    heard.get(10, TimeUnit.SECONDS);

    Echo.Responses next = new Echo.Responses(); // By its answer, the call before it has ended.
    Echo.bidi(channel, next);
    assertThat(next.next()).isEqualTo("here");
    assertThat(log.allLines()).isEmpty();
  }
}
