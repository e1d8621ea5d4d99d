package io.grpcstream.samples.interop;

import static io.grpc.stub.MetadataUtils.newAttachHeadersInterceptor;
import static io.grpc.stub.MetadataUtils.newCaptureMetadataInterceptor;
import static io.grpcstream.samples.interop.KindScenarios.assertEnded;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.rpc.Status;
import io.grpc.Metadata;
import io.grpc.Status.Code;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.BlockingClientCall;
import io.grpcstream.interop.CallName;
import io.grpcstream.interop.DownloadRequest;
import io.grpcstream.interop.Failure;
import io.grpcstream.interop.InteropGrpc.InteropBlockingV2Stub;
import io.grpcstream.interop.Payload;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/** What calls carry beside messages, how they end, and how much fits in. */
final class CallScenarios {
  /** What gRPC servers accept in one message unless told otherwise. */
  private static final int MESSAGE_LIMIT = 4 << 20;

  private static final long DEADLINE_MILLIS = 500;

  private CallScenarios() {}

  static String metadata(Peer peer) throws Exception {
    byte[] binary = {0, 1, 2, (byte) 0xff};
    Metadata sent = new Metadata();
    sent.put(Echo.TEXT, "text");
    sent.put(Echo.BINARY, binary);
    AtomicReference<Metadata> header = new AtomicReference<>();
    AtomicReference<Metadata> trailer = new AtomicReference<>();
    return peer.withInterop(
        interop -> {
          BlockingClientCall<Payload, Payload> call =
              interop
                  .withInterceptors(
                      newAttachHeadersInterceptor(sent),
                      newCaptureMetadataInterceptor(header, trailer))
                  .echo();
          call.halfClose();
          assertEnded(call);
          for (Metadata part : List.of(header.get(), trailer.get())) {
            assertThat(part.getAll(Echo.TEXT)).containsExactly("text");
            assertThat(part.getAll(Echo.BINARY)).containsExactly(binary);
          }
          return "text and binary, in header and trailer";
        });
  }

  static String deadline(Peer peer) throws Exception {
    return peer.withInterop(
        interop -> {
          String name = newName();
          BlockingClientCall<?, Payload> call =
              named(interop, name)
                  .withDeadlineAfter(DEADLINE_MILLIS, TimeUnit.MILLISECONDS)
                  .download(held());
          Expect.code(Code.DEADLINE_EXCEEDED, () -> readAll(call));
          awaitCancelled(interop, name);
          long left = watch(interop, name).getDeadlineMillis();
          assertThat(left).isBetween(1L, DEADLINE_MILLIS);
          return "the server saw %d ms left, and the call end".formatted(left);
        });
  }

  static String cancel(Peer peer) throws Exception {
    return peer.withInterop(
        interop -> {
          String name = newName();
          BlockingClientCall<?, Payload> call = named(interop, name).download(held());
          assertThat(call.read()).isNotNull();
          call.cancel("enough", null);
          Expect.code(Code.CANCELLED, call::read);
          awaitCancelled(interop, name);
          return "the server saw the call cancelled";
        });
  }

  static String abort(Peer peer) throws Exception {
    Failure failure =
        Failure.newBuilder().setCode(Code.ABORTED.value()).setMessage("enough").build();
    return peer.withInterop(
        interop -> {
          BlockingClientCall<Failure, Payload> call = interop.fail();
          int[] sent = {0};
          Expect.code(
              Code.ABORTED,
              () -> {
                while (call.write(failure)) {
                  sent[0]++;
                }
              });
          Expect.code(Code.ABORTED, call::read);
          return "ended while sending, after message " + sent[0];
        });
  }

  static String status(Peer peer) throws Exception {
    Failure failure =
        Failure.newBuilder()
            .setCode(Code.FAILED_PRECONDITION.value())
            .setMessage("100 % größer ✓")
            .build();
    return peer.withInterop(
        interop -> {
          BlockingClientCall<Failure, Payload> call = interop.fail();
          call.write(failure);
          Throwable end = Expect.code(Code.FAILED_PRECONDITION, call::read);
          Status status = StatusProto.fromThrowable(end);
          assertThat(status).isNotNull();
          assertThat(status.getMessage()).isEqualTo(failure.getMessage());
          assertThat(status.getDetailsList()).hasSize(1);
          assertThat(status.getDetails(0).unpack(Failure.class)).isEqualTo(failure);
          return "FAILED_PRECONDITION %s, with its detail".formatted(status.getMessage());
        });
  }

  static String large(Peer peer) throws Exception {
    return peer.withInterop(
        interop -> {
          Payload payload = payloadOf(MESSAGE_LIMIT);
          BlockingClientCall<Payload, Payload> call = interop.echo();
          call.write(payload);
          call.halfClose();
          assertThat(payload.equals(call.read())).as("what came back is what was sent").isTrue();
          assertEnded(call);
          return "a message of %d bytes, both ways".formatted(payload.getSerializedSize());
        });
  }

  static String tooLarge(Peer peer) throws Exception {
    return peer.withInterop(
        interop -> {
          Payload payload = payloadOf(MESSAGE_LIMIT + 1);
          BlockingClientCall<Payload, Payload> call = interop.echo();
          call.write(payload);
          Expect.code(Code.RESOURCE_EXHAUSTED, call::read);
          return "%d bytes were refused".formatted(payload.getSerializedSize());
        });
  }

  /** A stub whose calls can be watched under that name. */
  static InteropBlockingV2Stub named(InteropBlockingV2Stub interop, String name) {
    Metadata headers = new Metadata();
    headers.put(Calls.NAME, name);
    return interop.withInterceptors(newAttachHeadersInterceptor(headers));
  }

  static String newName() {
    return UUID.randomUUID().toString();
  }

  static io.grpcstream.interop.Call watch(InteropBlockingV2Stub interop, String name)
      throws Exception {
    return interop.watch(CallName.newBuilder().setName(name).build());
  }

  private static void awaitCancelled(InteropBlockingV2Stub interop, String name) throws Exception {
    Expect.eventually(() -> watch(interop, name).getCancelled());
  }

  private static void readAll(BlockingClientCall<?, Payload> call) throws Exception {
    while (call.read() != null) {
      // The one payload may be lost to a deadline that comes first.
    }
  }

  private static DownloadRequest held() {
    return DownloadRequest.newBuilder().setCount(1).setSize(1).setHold(true).build();
  }

  /** A message whose encoding has that many bytes. */
  private static Payload payloadOf(int encoded) {
    int overhead = 5; // One byte of tag, four of length.
    byte[] data = new byte[encoded - overhead];
    for (int i = 0; i < data.length; i++) {
      data[i] = (byte) (i % 251);
    }
    return Payload.newBuilder().setData(ByteString.copyFrom(data)).build();
  }
}
