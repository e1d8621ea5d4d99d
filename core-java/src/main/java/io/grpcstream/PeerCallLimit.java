package io.grpcstream;

import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCall.Listener;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpcstream.libp2p.PeerId;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Lets each peer have so many calls at a time, over all its streams and connections; one more ends
 * with {@code RESOURCE_EXHAUSTED}. It counts the calls of all servers that it is added to together.
 * Thread-safe.
 */
public final class PeerCallLimit implements ServerInterceptor {
  private final int limit;
  private final ConcurrentMap<PeerId, Integer> calls = new ConcurrentHashMap<>();

  /**
   * A limit.
   *
   * @param calls how many a peer may have at a time; at least 1
   */
  public PeerCallLimit(int calls) {
    if (calls < 1) {
      throw new IllegalArgumentException("a limit of " + calls + " calls would allow none");
    }
    limit = calls;
  }

  @Override
  public <Q, R> Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    PeerId peer = PeerContext.of(call).peerId();
    if (!begin(peer)) {
      call.close(
          Status.RESOURCE_EXHAUSTED.withDescription(
              "peer %s has %,d calls at a time, the limit".formatted(peer, limit)),
          new Metadata());
      return new Listener<>() {};
    }
    AtomicBoolean ended = new AtomicBoolean();
    Runnable end =
        () -> {
          if (ended.compareAndSet(false, true)) {
            end(peer);
          }
        };
    try {
      return new SimpleForwardingServerCallListener<>(next.startCall(call, headers)) {
        @Override
        public void onCancel() {
          end.run();
          super.onCancel();
        }

        @Override
        public void onComplete() {
          end.run();
          super.onComplete();
        }
      };
    } catch (RuntimeException | Error e) { // Then nobody is told of the call's end.
      end.run();
      throw e;
    }
  }

  private boolean begin(PeerId peer) {
    AtomicBoolean begun = new AtomicBoolean();
    calls.compute(
        peer,
        (id, before) -> {
          int now = before == null ? 0 : before;
          begun.set(now < limit);
          return now < limit ? now + 1 : before;
        });
    return begun.get();
  }

  private void end(PeerId peer) {
    calls.compute(peer, (id, before) -> before == null || before == 1 ? null : before - 1);
  }
}
