package io.grpcstream.serving;

import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.util.EventLoops;
import io.grpcstream.libp2p.util.Futures;
import io.grpcstream.netty.RefusalLog;
import io.grpcstream.netty.UserLog;
import io.grpcstream.serving.TrackedStream.State;
import java.net.SocketAddress;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of the streams that peers open to one {@code GrpcStream}: their calls are denied,
 * they wait in the backlog for an accept, or they are served; once closed, they are reset.
 *
 * @param <C> what a stream is to those who accept it
 */
public final class InboundStreams<C> {
  private enum Mode {
    ACCEPTING,
    SERVING,
    CLOSED
  }

  private final SocketAddress address;
  private final StreamTracker streams;
  private final Servers servers;
  private final BiFunction<PeerId, String, CompletionStage<Boolean>> authorizer;
  private final RefusalLog refusals;
  private final AtomicBoolean authorizerFailed = new AtomicBoolean();
  private final UnservedStreamsWarning unattended;
  private final Backlog<C> backlog;
  private volatile Mode mode = Mode.ACCEPTING;

  /**
   * Those of one {@code GrpcStream}, which is accepting at first.
   *
   * @param address names it
   * @param authorizer which peers may use which protocols
   * @param limit how many streams may wait to be accepted
   * @param timeout how long each may wait
   * @param accepted makes a connection of a stream that is to be handed out
   */
  public InboundStreams(
      SocketAddress address,
      Servers servers,
      BiFunction<PeerId, String, CompletionStage<Boolean>> authorizer,
      int limit,
      Duration timeout,
      RefusalLog refusals,
      Function<TrackedStream, C> accepted) {
    this.address = address;
    this.servers = servers;
    this.authorizer = authorizer;
    this.refusals = refusals;
    unattended = new UnservedStreamsWarning(address, timeout);
    streams = new StreamTracker(timeout, refusals, unattended::reason);
    backlog = new Backlog<>(limit, accepted);
  }

  /** The streams, those included that this side has opened. */
  public StreamTracker streams() {
    return streams;
  }

  /** Takes a new stream; see {@code GrpcStream.handler}. */
  public void onStream(Stream stream) {
    TrackedStream live = streams.arrived(stream);
    if (isClosed()) {
      live.refuseIfUndecided();
      return;
    }
    CompletableFuture<Boolean> answer;
    try {
      answer = authorizer.apply(stream.remotePeer(), stream.protocol()).toCompletableFuture();
    } catch (RuntimeException e) {
      onAuthorizerFailed(live, e);
      return;
    }
    if (!answer.isDone()) {
      stream.channel().config().setAutoRead(false);
      live.startAuthorizing();
      stream.closed().thenRun(() -> answer.cancel(false));
    }
    answer.whenComplete(
        (allowed, failure) ->
            EventLoops.run(
                stream.channel().eventLoop(), () -> onAuthorized(live, allowed, failure)));
  }

  private void onAuthorized(
      TrackedStream live, @Nullable Boolean allowed, @Nullable Throwable failure) {
    Stream stream = live.stream();
    if (isClosed()) {
      live.refuseIfUndecided();
    } else if (live.state() != State.ARRIVED || !stream.channel().isActive()) {
      UserLog.LOG.debug("{}: {} before it was authorized", address, live.state());
    } else if (allowed == null) {
      onAuthorizerFailed(
          live,
          failure == null
              ? new NullPointerException("the authorizer answered null")
              : Futures.unwrap(failure));
    } else if (!allowed) {
      refusals.refused(stream, Refusal.NOT_AUTHORIZED, "the authorizer does not allow it");
      live.settle(State.DENIED);
      servers.deny(stream);
    } else if (mode == Mode.SERVING) {
      serve(stream);
    } else {
      stream.channel().config().setAutoRead(false);
      unattended.waits(stream);
      placed(live, backlog.offer(live));
    }
  }

  /** The authorizer, which is the user's code, has failed: that may be better the next time. */
  private void onAuthorizerFailed(TrackedStream live, Throwable failure) {
    if (authorizerFailed.compareAndSet(false, true)) {
      UserLog.LOG.error("{}: the authorizer failed (said once with its stack)", address, failure);
    } else {
      UserLog.LOG.debug("{}: the authorizer failed", address, failure);
    }
    refusals.refused(
        live.stream(), Refusal.NOT_AUTHORIZED, "reset, as the authorizer failed: " + failure);
    live.refuseIfUndecided();
  }

  private void placed(TrackedStream live, Backlog.Outcome outcome) {
    if (outcome == Backlog.Outcome.FULL) {
      refusals.refused(
          live.stream(),
          Refusal.NOT_ACCEPTED,
          "reset, as " + backlog.size() + " streams wait to be accepted" + unattended.reason());
      live.refuseIfUndecided();
    } else if (outcome == Backlog.Outcome.STOPPED) {
      serve(live.stream()); // Which resets it if that is because of a shutdown.
    }
  }

  /** Serves all streams from now on, those that wait first; see {@code GrpcStream.serve}. */
  public void serveAll() {
    List<TrackedStream> waiting;
    synchronized (this) {
      if (isClosed()) {
        throw new IllegalStateException(address + " is shut down");
      }
      servers.start();
      unattended.attend();
      mode = Mode.SERVING;
      waiting =
          backlog.stop(() -> new IllegalStateException(address + " serves all streams itself"));
    }
    for (TrackedStream live : waiting) {
      if (live.move(State.WAITING, State.SERVED)) { // Unless its time was over just now.
        serve(live.stream());
      }
    }
  }

  /** Serves this one stream, whatever the mode and the authorizer say. */
  public void serve(Stream stream) {
    streams.served(stream);
    servers.serve(stream);
    if (isClosed()) {
      stream.reset();
    }
  }

  /** The next stream that is not served at once; see {@code GrpcStream.accept}. */
  public CompletableFuture<C> accept() {
    unattended.attend();
    return backlog.take();
  }

  /** Puts a stream that was accepted back to the head of the backlog. */
  public void takeBack(Stream stream) {
    TrackedStream anew = streams.arrived(stream);
    placed(anew, backlog.putBack(anew));
  }

  /** Resets the streams in the backlog, and all that come from now on. */
  public void close() {
    List<TrackedStream> waiting;
    synchronized (this) {
      mode = Mode.CLOSED;
      unattended.attend();
      waiting = backlog.stop(ClosedChannelException::new);
    }
    waiting.forEach(TrackedStream::refuseIfUndecided);
  }

  public boolean isClosed() {
    return mode == Mode.CLOSED;
  }

  /** The mode, for people. */
  @Override
  public String toString() {
    return mode.toString();
  }
}
