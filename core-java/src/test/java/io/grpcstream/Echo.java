package io.grpcstream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.common.util.concurrent.Futures;
import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;

/** A service with a method of each kind; its messages are strings. */
public final class Echo {
  public static final String NAME = "test.Echo";
  public static final MethodDescriptor<String, String> UNARY = method("Unary", MethodType.UNARY);
  static final MethodDescriptor<String, String> SERVER_STREAM =
      method("ServerStream", MethodType.SERVER_STREAMING);
  static final MethodDescriptor<String, String> CLIENT_STREAM =
      method("ClientStream", MethodType.CLIENT_STREAMING);
  static final MethodDescriptor<String, String> BIDI = method("Bidi", MethodType.BIDI_STREAMING);

  private Echo() {}

  /** Answers each request with itself. */
  static ServerServiceDefinition service() {
    return service(request -> request);
  }

  /**
   * Answers each request by {@code reply}: the server stream three times, the client stream once,
   * with the requests joined.
   */
  static ServerServiceDefinition service(UnaryOperator<String> reply) {
    return ServerServiceDefinition.builder(NAME)
        .addMethod(
            UNARY,
            ServerCalls.asyncUnaryCall(
                (String request, StreamObserver<String> responses) -> {
                  responses.onNext(reply.apply(request));
                  responses.onCompleted();
                }))
        .addMethod(
            SERVER_STREAM,
            ServerCalls.asyncServerStreamingCall(
                (String request, StreamObserver<String> responses) -> {
                  for (int i = 0; i < 3; i++) {
                    responses.onNext(reply.apply(request));
                  }
                  responses.onCompleted();
                }))
        .addMethod(
            CLIENT_STREAM,
            ServerCalls.asyncClientStreamingCall(
                (StreamObserver<String> responses) -> new Joining(responses, reply)))
        .addMethod(
            BIDI,
            ServerCalls.asyncBidiStreamingCall(
                (StreamObserver<String> responses) -> new Replying(responses, reply)))
        .build();
  }

  static String unary(Channel channel, String request) {
    return ClientCalls.blockingUnaryCall(channel, UNARY, CallOptions.DEFAULT, request);
  }

  /**
   * Does {@code meanwhile} again and again until a call is answered, and returns its answer. A call
   * that fails is made anew: on a slow machine, a short limit that is meant for others meets it,
   * too.
   */
  static String unaryWhile(Channel channel, String request, Runnable meanwhile) {
    AtomicReference<ListenableFuture<String>> call = new AtomicReference<>(call(channel, request));
    Hosts.eventually(
        () -> "the call is answered: " + call.get(),
        () -> {
          meanwhile.run();
          if (!call.get().isDone()) {
            return false;
          }
          try {
            Futures.getDone(call.get());
            return true;
          } catch (ExecutionException e) {
            call.set(call(channel, request));
            return false;
          }
        });
    return Futures.getUnchecked(call.get());
  }

  private static ListenableFuture<String> call(Channel channel, String request) {
    return ClientCalls.futureUnaryCall(channel.newCall(UNARY, CallOptions.DEFAULT), request);
  }

  static List<String> serverStream(Channel channel, String request) {
    List<String> responses = new ArrayList<>();
    ClientCalls.blockingServerStreamingCall(channel, SERVER_STREAM, CallOptions.DEFAULT, request)
        .forEachRemaining(responses::add);
    return responses;
  }

  static String clientStream(Channel channel, String... requests) throws InterruptedException {
    Responses responses = new Responses();
    StreamObserver<String> call =
        ClientCalls.asyncClientStreamingCall(
            channel.newCall(CLIENT_STREAM, CallOptions.DEFAULT), responses);
    List.of(requests).forEach(call::onNext);
    call.onCompleted();
    return responses.next();
  }

  /** Starts a call that goes on until it is completed. */
  static StreamObserver<String> bidi(Channel channel, Responses responses) {
    return ClientCalls.asyncBidiStreamingCall(
        channel.newCall(BIDI, CallOptions.DEFAULT), responses);
  }

  /** A unary call that waits until its channel is ready. */
  static String unaryWhenReady(Channel channel, String request) {
    return ClientCalls.blockingUnaryCall(
        channel, UNARY, CallOptions.DEFAULT.withWaitForReady(), request);
  }

  /** The status with which a call on {@code channel} fails. */
  static Status failure(Channel channel) {
    return failure(channel, CallOptions.DEFAULT);
  }

  /** The status with which a call on {@code channel} fails. */
  static Status failure(Channel channel, CallOptions options) {
    StatusRuntimeException failure =
        catchThrowableOfType(
            StatusRuntimeException.class,
            () -> ClientCalls.blockingUnaryCall(channel, UNARY, options, "request"));
    assertThat(failure).as("failure of the call").isNotNull();
    return failure.getStatus();
  }

  private static MethodDescriptor<String, String> method(String name, MethodType type) {
    return MethodDescriptor.<String, String>newBuilder()
        .setType(type)
        .setFullMethodName(MethodDescriptor.generateFullMethodName(NAME, name))
        .setRequestMarshaller(Text.INSTANCE)
        .setResponseMarshaller(Text.INSTANCE)
        .build();
  }

  /** What a call received, to be waited for. */
  static final class Responses implements StreamObserver<String> {
    private static final String END = "(end)";

    private final BlockingQueue<Object> events = new LinkedBlockingQueue<>();

    @Override
    public void onNext(String response) {
      events.add(response);
    }

    @Override
    public void onError(Throwable failure) {
      events.add(failure);
    }

    @Override
    public void onCompleted() {
      events.add(END);
    }

    /** The next response; fails if the call does. */
    String next() throws InterruptedException {
      return (String) event(String.class);
    }

    /** Returns once the call is complete. */
    void awaitEnd() throws InterruptedException {
      assertThat(event(String.class)).isEqualTo(END);
    }

    /** The status with which the call failed. */
    Status failure() throws InterruptedException {
      return ((StatusRuntimeException) event(StatusRuntimeException.class)).getStatus();
    }

    /** The same, to be waited for for longer. */
    Status failure(long seconds) throws InterruptedException {
      Object event = events.poll(seconds, TimeUnit.SECONDS);
      assertThat(event).isInstanceOf(StatusRuntimeException.class);
      return ((StatusRuntimeException) event).getStatus();
    }

    boolean isEmpty() {
      return events.isEmpty();
    }

    private Object event(Class<?> type) throws InterruptedException {
      Object event = events.poll(10, TimeUnit.SECONDS);
      assertThat(event).as("next event of the call").isInstanceOf(type);
      return event;
    }
  }

  private static final class Joining implements StreamObserver<String> {
    private final StreamObserver<String> responses;
    private final UnaryOperator<String> reply;
    private final StringBuilder requests = new StringBuilder();

    Joining(StreamObserver<String> responses, UnaryOperator<String> reply) {
      this.responses = responses;
      this.reply = reply;
    }

    @Override
    public void onNext(String request) {
      requests.append(request);
    }

    @Override
    public void onError(Throwable failure) {
      // The call is over.
    }

    @Override
    public void onCompleted() {
      responses.onNext(reply.apply(requests.toString()));
      responses.onCompleted();
    }
  }

  private static final class Replying implements StreamObserver<String> {
    private final StreamObserver<String> responses;
    private final UnaryOperator<String> reply;

    Replying(StreamObserver<String> responses, UnaryOperator<String> reply) {
      this.responses = responses;
      this.reply = reply;
    }

    @Override
    public void onNext(String request) {
      responses.onNext(reply.apply(request));
    }

    @Override
    public void onError(Throwable failure) {
      // The call is over.
    }

    @Override
    public void onCompleted() {
      responses.onCompleted();
    }
  }

  private enum Text implements MethodDescriptor.Marshaller<String> {
    INSTANCE;

    @Override
    public InputStream stream(String value) {
      return new ByteArrayInputStream(value.getBytes(UTF_8));
    }

    @Override
    public String parse(InputStream stream) {
      try (stream) {
        return new String(stream.readAllBytes(), UTF_8);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
