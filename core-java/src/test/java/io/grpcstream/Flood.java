package io.grpcstream;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerServiceDefinition;
import io.grpc.stub.CallStreamObserver;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * Calls that send as much as they may: {@link Pump}s send for as long as gRPC says that it is ready
 * for more, and {@link Drain}s receive what they ask for, and nothing else.
 */
final class Flood {
  /** Bytes of payload in each message. */
  static final int MESSAGE_BYTES = 16 << 10;

  private static final String NAME = "test.Flood";
  private static final MethodDescriptor<byte[], byte[]> SERVER_STREAM =
      method("Pour", MethodType.SERVER_STREAMING);
  private static final MethodDescriptor<byte[], byte[]> CLIENT_STREAM =
      method("Fill", MethodType.CLIENT_STREAMING);

  private final int prefetch;
  private final Queue<Pump> pumps = new ConcurrentLinkedQueue<>();
  private final Queue<Drain> drains = new ConcurrentLinkedQueue<>();

  /**
   * Calls of one test.
   *
   * @param prefetch messages that each receiver asks for at the start
   */
  Flood(int prefetch) {
    this.prefetch = prefetch;
  }

  /** The senders, on whichever side they are. */
  Queue<Pump> pumps() {
    return pumps;
  }

  /** The receivers, on whichever side they are. */
  Queue<Drain> drains() {
    return drains;
  }

  /** What the serving side offers. */
  ServerServiceDefinition service() {
    return ServerServiceDefinition.builder(NAME)
        .addMethod(
            SERVER_STREAM,
            ServerCalls.asyncServerStreamingCall(
                (byte[] request, StreamObserver<byte[]> responses) ->
                    start(new Pump((ServerCallStreamObserver<byte[]>) responses))))
        .addMethod(
            CLIENT_STREAM,
            ServerCalls.asyncClientStreamingCall(
                (StreamObserver<byte[]> responses) -> {
                  ServerCallStreamObserver<byte[]> call =
                      (ServerCallStreamObserver<byte[]>) responses;
                  call.disableAutoRequest();
                  Drain drain = start(new Drain(call::request));
                  drain.done.thenRun(
                      () -> {
                        call.onNext(new byte[0]);
                        call.onCompleted();
                      });
                  drain.request(prefetch);
                  return drain;
                }))
        .build();
  }

  /** Starts a call whose server sends and whose client receives. */
  void serverStream(Channel channel) {
    Receiving receiving = new Receiving();
    ClientCalls.asyncServerStreamingCall(
        channel.newCall(SERVER_STREAM, CallOptions.DEFAULT), new byte[0], receiving);
  }

  /** Starts a call whose client sends and whose server receives. */
  CompletableFuture<Void> clientStream(Channel channel) {
    CompletableFuture<Void> answered = new CompletableFuture<>();
    ClientCalls.asyncClientStreamingCall(
        channel.newCall(CLIENT_STREAM, CallOptions.DEFAULT),
        new ClientResponseObserver<byte[], byte[]>() {
          @Override
          public void beforeStart(ClientCallStreamObserver<byte[]> call) {
            start(new Pump(call));
          }

          @Override
          public void onNext(byte[] response) {}

          @Override
          public void onError(Throwable failure) {
            answered.completeExceptionally(failure);
          }

          @Override
          public void onCompleted() {
            answered.complete(null);
          }
        });
    return answered;
  }

  private Pump start(Pump pump) {
    pumps.add(pump);
    return pump;
  }

  private Drain start(Drain drain) {
    drains.add(drain);
    return drain;
  }

  private static byte[] message(int number) {
    byte[] message = new byte[MESSAGE_BYTES];
    Arrays.fill(message, (byte) (31 * number));
    ByteBuffer.wrap(message).putInt(number);
    return message;
  }

  private static MethodDescriptor<byte[], byte[]> method(String name, MethodType type) {
    return MethodDescriptor.<byte[], byte[]>newBuilder()
        .setType(type)
        .setFullMethodName(MethodDescriptor.generateFullMethodName(NAME, name))
        .setRequestMarshaller(Raw.INSTANCE)
        .setResponseMarshaller(Raw.INSTANCE)
        .build();
  }

  /** Sends numbered messages while gRPC is ready for them. gRPC never runs it twice at a time. */
  static final class Pump {
    private final CallStreamObserver<byte[]> call;
    private volatile int sent;
    private volatile int end = Integer.MAX_VALUE;
    private boolean completed;

    Pump(CallStreamObserver<byte[]> call) {
      this.call = call;
      call.setOnReadyHandler(this::send);
    }

    private void send() {
      while (!completed && call.isReady()) {
        if (sent >= end) {
          completed = true;
          call.onCompleted();
        } else {
          int number = sent;
          sent =
              number + 1; // Before the message can arrive, so that nobody has more than was sent.
          call.onNext(message(number));
        }
      }
    }

    /** Messages given to gRPC so far. */
    int sent() {
      return sent;
    }

    boolean isReady() {
      return call.isReady();
    }

    /** Completes the call with the message number {@code count}. To be set while not ready. */
    void endAfter(int count) {
      end = count;
    }
  }

  private interface Requests {
    void request(int count);
  }

  /** Receives what it has asked for, and checks that each message is whole and in its place. */
  static final class Drain implements StreamObserver<byte[]> {
    private final Requests call;
    private final CompletableFuture<Integer> done = new CompletableFuture<>();
    private volatile int received;

    private Drain(Requests call) {
      this.call = call;
    }

    void request(int count) {
      if (count > 0) {
        call.request(count);
      }
    }

    /** Messages received so far. */
    int received() {
      return received;
    }

    /** The number of messages, once the sender has completed. */
    CompletableFuture<Integer> done() {
      return done;
    }

    @Override
    public void onNext(byte[] message) {
      if (!Arrays.equals(message, message(received))) {
        done.completeExceptionally(new AssertionError("message " + received + " is another one"));
      }
      received++;
    }

    @Override
    public void onError(Throwable failure) {
      done.completeExceptionally(failure);
    }

    @Override
    public void onCompleted() {
      done.complete(received);
    }
  }

  private final class Receiving implements ClientResponseObserver<byte[], byte[]> {
    private @Nullable Drain drain;

    @Override
    public void beforeStart(ClientCallStreamObserver<byte[]> call) {
      call.disableAutoRequestWithInitial(prefetch);
      drain = start(new Drain(call::request));
    }

    private Drain drain() {
      return Objects.requireNonNull(drain);
    }

    @Override
    public void onNext(byte[] message) {
      drain().onNext(message);
    }

    @Override
    public void onError(Throwable failure) {
      drain().onError(failure);
    }

    @Override
    public void onCompleted() {
      drain().onCompleted();
    }
  }

  private enum Raw implements MethodDescriptor.Marshaller<byte[]> {
    INSTANCE;

    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try (stream) {
        return stream.readAllBytes();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
