package io.grpcstream.serving;

import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.text.DurationText;
import io.grpcstream.libp2p.util.EventLoops;
import io.grpcstream.netty.OneStreamChannel;
import io.grpcstream.netty.RefusalLog;
import io.grpcstream.netty.StreamAttachment;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One stream of a {@code GrpcStream}, and its one state. What happens to it at the same time (an
 * accept and the time limit, a decision and a shutdown) meets in a compare-and-set of that state:
 * whoever moves it acts, all others find that they came too late. Thread-safe.
 *
 * <pre>
 * ARRIVED -> WAITING | ACCEPTED | SERVED | DENIED | REFUSED
 * WAITING -> ACCEPTED | SERVED | REFUSED | EXPIRED | CLOSED
 * ACCEPTED -> SERVED | CLIENT | REFUSED | GIVEN_BACK | EXPIRED, or ARRIVED if nobody took it
 * EXPIRED -> SERVED | CLIENT | REFUSED | GIVEN_BACK, all without effect
 * </pre>
 *
 * <p>One that is given back goes on as another object: whoever has this one has no say any more.
 */
public final class TrackedStream {
  /** What a stream is. */
  public enum State {
    /** It was not yet said what becomes of it. */
    ARRIVED,
    /** In the backlog, for an accept. */
    WAITING,
    /** Handed out: its holder has to decide, in time. */
    ACCEPTED,
    /** It has a gRPC server. */
    SERVED,
    /** It has a gRPC client. */
    CLIENT,
    /** Its calls are answered with {@code PERMISSION_DENIED}. */
    DENIED,
    /** Reset. */
    REFUSED,
    /** Back in the backlog, as another object. */
    GIVEN_BACK,
    /** Reset, as its time to wait, or to be decided about, is over. */
    EXPIRED,
    /** It ended while it waited. */
    CLOSED;

    /** Whether nobody uses the stream yet: it ends with its host, and without any grace. */
    boolean isUndecided() {
      return this == ARRIVED || this == WAITING || this == ACCEPTED;
    }
  }

  private final Stream stream;
  private final AtomicReference<State> state;
  private final Deadline authorizing;
  private final Deadline waiting;
  private final Deadline deciding;
  private volatile @Nullable OneStreamChannel client;

  /**
   * A stream.
   *
   * @param timeout how long it may wait, and then be undecided
   * @param refusals told when that time is over
   * @param unattended why it may have waited in vain, for people
   */
  TrackedStream(
      Stream stream,
      State first,
      Duration timeout,
      RefusalLog refusals,
      Supplier<String> unattended) {
    this.stream = stream;
    state = new AtomicReference<>(first);
    String time = DurationText.of(timeout);
    authorizing =
        new Deadline(
            stream,
            timeout,
            () ->
                expire(
                    State.ARRIVED,
                    refusals,
                    () -> "reset, as the authorizer did not answer within " + time));
    waiting =
        new Deadline(
            stream,
            timeout,
            () ->
                expire(
                    State.WAITING,
                    refusals,
                    () -> "reset, as it was not accepted within " + time + unattended.get()));
    deciding =
        new Deadline(
            stream,
            timeout,
            () ->
                expire(
                    State.ACCEPTED,
                    refusals,
                    () ->
                        "reset, as nobody decided about it within "
                            + time
                            + " of its being accepted"));
  }

  public Stream stream() {
    return stream;
  }

  /** What it is at the moment. */
  public State state() {
    return Objects.requireNonNull(state.get(), "a stream always has a state");
  }

  /** The channel of the client on it, if there is one. */
  public @Nullable OneStreamChannel client() {
    return client;
  }

  /** The one place where the state changes: from {@code from}, or not at all. */
  boolean move(State from, State to) {
    if (!state.compareAndSet(from, to)) {
      return false;
    }
    if (from == State.ARRIVED) {
      authorizing.stop();
    } else if (from == State.WAITING) {
      waiting.stop();
    } else if (from == State.ACCEPTED && to != State.ARRIVED) {
      deciding.stop();
    }
    return true;
  }

  /** Moves it from whichever undecided state; false if it was decided about before. */
  boolean settle(State to) {
    for (State now = state(); now.isUndecided(); now = state()) {
      if (move(now, to)) {
        return true;
      }
    }
    return false;
  }

  /** The authorizer is asked, and did not answer at once: its time begins. */
  void startAuthorizing() {
    authorizing.start();
  }

  /** It is in the backlog: the time to wait begins. */
  void startWaiting() {
    waiting.start();
  }

  /** Somebody has it: the time to decide about it begins. */
  void startDeciding() {
    deciding.start();
  }

  private void expire(State during, RefusalLog refusals, Supplier<String> reason) {
    if (move(during, State.EXPIRED)) {
      refusals.refused(stream, Refusal.NOT_ACCEPTED, reason.get());
      stream.reset();
    }
  }

  /**
   * The holder of an accepted stream decides about it.
   *
   * @return whether in time: after that the stream has ended, and one decision is without effect
   * @throws IllegalStateException if it was decided about before
   */
  public boolean decide(State decision) {
    if (move(State.ACCEPTED, decision)) {
      return true;
    }
    if (move(State.EXPIRED, decision)) {
      return false;
    }
    throw new IllegalStateException(
        StreamAttachment.describe(stream)
            + " was already decided about: "
            + state()
            + ", now "
            + decision);
  }

  /** Resets it if nobody has decided about it; false if somebody has. */
  public boolean refuseIfUndecided() {
    boolean refused = settle(State.REFUSED);
    if (refused) {
      stream.reset();
    }
    return refused;
  }

  /** It carries a client. */
  void wrapped(OneStreamChannel channel) {
    client = channel;
    settle(State.CLIENT);
  }

  /** The host ends: what nobody uses ends with it. */
  void hostEnds() {
    if (state().isUndecided()) {
      stream.reset(); // As a stream that ends by itself: its holder may still decide, in vain.
    }
  }

  /**
   * Ends it with its {@code GrpcStream}: drains a client; a served one is drained by its server.
   *
   * @param reason for the statuses of the client's calls
   * @param grace after which it is cut
   */
  void end(String reason, Duration grace) {
    if (state().isUndecided()) {
      stream.reset();
      return;
    }
    OneStreamChannel channel = client;
    if (channel == null) {
      cutAfter(grace, stream::reset);
    } else {
      channel.drain(reason);
      cutAfter(grace, channel::cut);
    }
  }

  private void cutAfter(Duration grace, Runnable cut) {
    if (grace.isZero() || grace.isNegative()) {
      cut.run();
      return;
    }
    EventLoops.run(
        stream.channel().eventLoop(),
        () -> {
          var timer =
              stream.channel().eventLoop().schedule(cut, grace.toNanos(), TimeUnit.NANOSECONDS);
          stream.channel().closeFuture().addListener(closed -> timer.cancel(false));
        });
  }
}
