package io.grpcstream.samples.interop;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.rpc.Status;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.grpcstream.interop.CallName;
import io.grpcstream.interop.DownloadRequest;
import io.grpcstream.interop.Failure;
import io.grpcstream.interop.InteropGrpc;
import io.grpcstream.interop.Payload;
import io.grpcstream.interop.StopReply;
import io.grpcstream.interop.StopRequest;
import io.grpcstream.interop.Total;

/** Does what {@code interop.proto} says. */
final class InteropService extends InteropGrpc.InteropImplBase {
  private final Calls calls;
  private final Stopper stopper;

  InteropService(Calls calls, Stopper stopper) {
    this.calls = calls;
    this.stopper = stopper;
  }

  @Override
  public StreamObserver<Payload> echo(StreamObserver<Payload> replies) {
    start(replies);
    return new Requests<>() {
      @Override
      public void onNext(Payload payload) {
        replies.onNext(payload);
      }

      @Override
      public void onCompleted() {
        replies.onCompleted();
      }
    };
  }

  @Override
  public StreamObserver<Failure> fail(StreamObserver<Payload> replies) {
    start(replies);
    return new Requests<>() {
      private boolean ended;

      @Override
      public void onNext(Failure failure) {
        if (!ended) {
          ended = true;
          replies.onError(
              StatusProto.toStatusException(
                  Status.newBuilder()
                      .setCode(failure.getCode())
                      .setMessage(failure.getMessage())
                      .addDetails(Any.pack(failure))
                      .build()));
        }
      }

      @Override
      public void onCompleted() {
        if (!ended) {
          replies.onError(
              io.grpc.Status.INVALID_ARGUMENT.withDescription("no Failure").asException());
        }
      }
    };
  }

  @Override
  public void download(DownloadRequest request, StreamObserver<Payload> replies) {
    Call call = start(replies);
    ServerCallStreamObserver<Payload> stream = (ServerCallStreamObserver<Payload>) replies;
    ByteString data = ByteString.copyFrom(new byte[request.getSize()]);
    Payload payload = Payload.newBuilder().setData(data).build();
    stream.setOnReadyHandler(
        () -> {
          while (stream.isReady()) {
            if (call.message().getSent() < request.getCount()) {
              stream.onNext(payload);
              call.countSent();
            } else if (request.getHold()) {
              return;
            } else {
              stream.onCompleted();
            }
          }
        });
  }

  @Override
  public StreamObserver<Payload> upload(StreamObserver<Total> reply) {
    Call call = start(reply);
    ServerCallStreamObserver<Total> stream = (ServerCallStreamObserver<Total>) reply;
    stream.disableAutoRequest();
    stream.request(1);
    return new Requests<>() {
      private final Total.Builder total = Total.newBuilder();

      @Override
      public void onNext(Payload payload) {
        total.setCount(total.getCount() + 1);
        total.setBytes(total.getBytes() + payload.getData().size());
        call.countReceived();
        call.resumed().thenRun(() -> stream.request(1));
      }

      @Override
      public void onCompleted() {
        reply.onNext(total.build());
        reply.onCompleted();
      }
    };
  }

  @Override
  public void resume(CallName request, StreamObserver<io.grpcstream.interop.Call> reply) {
    Call call = calls.get(request.getName());
    call.resume();
    reply.onNext(call.message());
    reply.onCompleted();
  }

  @Override
  public void watch(CallName request, StreamObserver<io.grpcstream.interop.Call> reply) {
    reply.onNext(calls.get(request.getName()).message());
    reply.onCompleted();
  }

  @Override
  public void stop(StopRequest request, StreamObserver<StopReply> reply) {
    reply.onNext(StopReply.getDefaultInstance());
    reply.onCompleted();
    stopper.stop(request.getGraceful());
  }

  private Call start(StreamObserver<?> replies) {
    Call call = calls.start(CallHeaders.NAME.get());
    ((ServerCallStreamObserver<?>) replies).setOnCancelHandler(call::cancel);
    return call;
  }

  /** What the caller sends; that the call was cancelled, its cancel handler hears. */
  private abstract static class Requests<Q> implements StreamObserver<Q> {
    @Override
    public void onError(Throwable cancelled) {}
  }
}
