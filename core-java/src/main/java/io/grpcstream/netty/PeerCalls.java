package io.grpcstream.netty;

import io.grpc.Status;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** The calls of a channel to peers: each attempt of a call gets the stream that gRPC picks. */
final class PeerCalls extends CallTracker {
  private final String target;
  private final PeerDials dials;
  private final AtomicReference<@Nullable Status> ended = new AtomicReference<>();

  /** Set by calls, so that most only read it. */
  private volatile boolean called;

  /** To be told of the end of the channel, or else it holds on to gRPC's executor. */
  PeerCalls(String target, PeerDials dials) {
    this.target = target;
    this.dials = dials;
    dials.onDemand(this::takeDemand);
  }

  /** A call is made, or about to be. */
  void noteCall() {
    if (!called) {
      called = true;
    }
  }

  private boolean takeDemand() {
    boolean made = called;
    called = false;
    return made || !calls().isEmpty();
  }

  /** No call can be made any more: those to come, and those that wait for a stream, fail so. */
  void end(Status reason) {
    if (ended.compareAndSet(null, reason)) {
      calls().forEach(call -> call.refuse(reason));
    }
  }

  @Override
  @Nullable StreamCalls onlyStream() {
    return null;
  }

  @Override
  @Nullable Status refusal() {
    return ended.get();
  }

  @Override
  Status overStatus() {
    Status known = ended.get();
    return known != null
        ? known
        : Status.UNAVAILABLE.withDescription(target() + ": it was shut down");
  }

  @Override
  boolean isOnEventLoop() {
    return dials.isOnEventLoop();
  }

  @Override
  String target() {
    return "channel to " + target;
  }

  @Override
  String whyWaiting() {
    return dials.whyWaiting();
  }
}
