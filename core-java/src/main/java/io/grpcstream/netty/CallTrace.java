package io.grpcstream.netty;

import io.grpc.Attributes;
import io.grpc.ClientStreamTracer;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpcstream.libp2p.Stream;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What a call's latest attempt shows of itself to gRPC's tracers. */
final class CallTrace extends ClientStreamTracer.Factory {
  /** Of what this side may end a call with after the answer has come, but for deadlines. */
  private static final Set<Status.Code> OWN_CODES =
      EnumSet.of(
          Status.Code.UNAVAILABLE,
          Status.Code.RESOURCE_EXHAUSTED,
          Status.Code.INTERNAL,
          Status.Code.CANCELLED);

  private volatile @Nullable Metadata trailers;
  private volatile @Nullable Deadline deadline;
  private volatile @Nullable Consumer<StreamCalls> onStream;

  /** The attempt that has got an answer, with which alone gRPC goes on. */
  private final AtomicReference<@Nullable ClientStreamTracer> answered = new AtomicReference<>();

  /**
   * Has {@code listener} hear of the stream that each attempt of the call gets, and last of that of
   * the attempt which gRPC has settled on: of hedges that need not be the latest. Before its start.
   */
  void onStream(Consumer<StreamCalls> listener) {
    onStream = listener;
  }

  /**
   * Whether a call that ended like this did so by what the peer's service has sent. This side may
   * end a call whose answer has come, but was not passed on yet: a channel that is shut down at
   * once ({@code UNAVAILABLE}), a message that is too large ({@code RESOURCE_EXHAUSTED}) or that
   * cannot be decompressed or parsed ({@code INTERNAL}, {@code CANCELLED}). All else that differs
   * from the answer is what a user's interceptor has made of it.
   */
  boolean isToldByPeer(Status status, Metadata trailers) {
    Metadata told = this.trailers;
    return told != null && (told == trailers || !OWN_CODES.contains(status.getCode()));
  }

  /** The deadline by the call's options and by the service config. */
  @Nullable Deadline deadline() {
    return deadline;
  }

  @Override
  public ClientStreamTracer newClientStreamTracer(
      ClientStreamTracer.StreamInfo info, Metadata headers) {
    this.trailers = null;
    deadline = info.getCallOptions().getDeadline();
    return new ClientStreamTracer() {
      private volatile @Nullable StreamCalls calls;

      @Override
      public void streamCreated(Attributes transport, Metadata headers) {
        Stream stream = transport.get(StreamAttachment.STREAM);
        calls = stream == null ? null : StreamCalls.of(stream.channel());
        if (answered.get() == null) {
          tell();
        }
      }

      @Override
      public void inboundHeaders() {
        if (answered.compareAndSet(null, this)) {
          tell();
        }
      }

      /** An interceptor of the user's may make a call anew that has failed. */
      @Override
      public void streamClosed(Status status) {
        if (!status.isOk()) {
          answered.compareAndSet(this, null);
        }
      }

      private void tell() {
        Consumer<StreamCalls> listener = onStream;
        StreamCalls stream = calls;
        if (listener != null && stream != null) {
          listener.accept(stream);
        }
      }

      @Override
      public void inboundTrailers(Metadata trailers) {
        CallTrace.this.trailers = trailers;
      }
    };
  }
}
