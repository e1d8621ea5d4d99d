package io.grpcstream;

import io.grpc.ManagedChannel;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.text.DurationText;
import io.grpcstream.netty.RefusalLog;
import io.grpcstream.netty.StreamAttachment;
import io.grpcstream.serving.Deadline;
import io.grpcstream.serving.InboundStreams;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * One accepted stream, awaiting a decision: {@link #serve}, {@link #client}, {@link #refuse} or
 * {@link #giveBack}, exactly one of them. Until then its bytes wait, uncredited, with the peer.
 *
 * <p>The decision has the time that {@link GrpcStream.Builder#backlogTimeout} sets, from the moment
 * the connection is handed out; then the stream is reset. A decision that comes too late is none:
 * what it makes is what it would make of any stream that has ended, and giving back does nothing.
 *
 * <p>All methods may be called from any thread; none blocks.
 */
public final class GrpcConnection implements AutoCloseable {
  private enum Decision {
    NONE,
    SERVED,
    WRAPPED,
    REFUSED,
    GIVEN_BACK,
    /** None came in time; the stream was reset. One decision may still follow, without effect. */
    OVERDUE
  }

  private final GrpcStream owner;
  private final InboundStreams<GrpcConnection> inbound;
  private final Stream stream;
  private final AtomicReference<Decision> decision = new AtomicReference<>(Decision.NONE);
  private final Deadline deadline;
  private volatile @Nullable ManagedChannel client;

  GrpcConnection(
      GrpcStream owner,
      InboundStreams<GrpcConnection> inbound,
      Stream stream,
      Duration timeout,
      RefusalLog refusals) {
    this.owner = owner;
    this.inbound = inbound;
    this.stream = stream;
    deadline = new Deadline(stream, timeout, () -> overdue(timeout, refusals));
  }

  /** Someone has this connection now: the time to decide about it begins. */
  void decisionDue() {
    deadline.start();
  }

  private void overdue(Duration timeout, RefusalLog refusals) {
    if (decision.compareAndSet(Decision.NONE, Decision.OVERDUE)) {
      inbound.decided(stream);
      refusals.refused(
          stream,
          Refusal.NOT_ACCEPTED,
          "reset, as nobody decided about it within "
              + DurationText.of(timeout)
              + " of its being accepted");
      stream.reset();
    }
  }

  /** The id that the peer has proven. */
  public PeerId remotePeer() {
    return stream.remotePeer();
  }

  /** The peer's address, as its connection knows it. */
  public Multiaddr remoteAddress() {
    return stream.remoteAddress();
  }

  /** The protocol id that the peer asked for. */
  public String protocol() {
    return stream.protocol();
  }

  /** The stream itself. */
  public Stream stream() {
    return stream;
  }

  /**
   * Serves the registered services to the peer, from now until the stream ends. Works without
   * {@link GrpcStream#serve()}: it is this one connection that is served.
   *
   * @throws IllegalStateException if the connection was decided about before
   */
  public void serve() {
    decide(Decision.SERVED);
    inbound.serve(stream);
  }

  /**
   * Becomes the gRPC client on this stream, which the peer has opened and serves. As with {@link
   * GrpcStream#client}, the channel ends with the stream, and no later than the {@link GrpcStream}.
   *
   * @throws IllegalStateException if the connection was decided about before
   */
  public ManagedChannel client() {
    decide(Decision.WRAPPED);
    ManagedChannel channel = owner.client(stream);
    client = channel;
    return channel;
  }

  /**
   * Resets the stream: the peer's calls on it fail with {@code UNAVAILABLE}.
   *
   * @throws IllegalStateException if the connection was decided about before
   */
  public void refuse() {
    decide(Decision.REFUSED);
    stream.reset();
  }

  /**
   * Puts the connection back to the head of the backlog, for the next {@link GrpcStream#accept}, as
   * if it had never been handed out; this object is of no more use. It does so even if the backlog
   * is full, and starts its time limit anew.
   *
   * @throws IllegalStateException if the connection was decided about before
   */
  public void giveBack() {
    if (decide(Decision.GIVEN_BACK)) {
      inbound.takeBack(stream);
    }
  }

  /** Whether the decision came in time. */
  private boolean decide(Decision made) {
    Decision before = decision.compareAndExchange(Decision.NONE, made);
    if (before == Decision.OVERDUE && decision.compareAndSet(Decision.OVERDUE, made)) {
      return false;
    }
    if (before != Decision.NONE) {
      throw new IllegalStateException(
          StreamAttachment.describe(stream)
              + " was already decided about: "
              + before
              + ", now "
              + made);
    }
    deadline.stop();
    inbound.decided(stream);
    return true;
  }

  /** Completes, never exceptionally, once the stream has ended; on the stream's event loop. */
  public CompletionStage<Void> closed() {
    return stream.closed();
  }

  /**
   * Ends the connection: resets a stream that was not decided about; else lets calls in flight
   * finish, then closes it.
   */
  @Override
  public void close() {
    if (decision.compareAndSet(Decision.NONE, Decision.REFUSED)) {
      deadline.stop();
      inbound.decided(stream);
      stream.reset();
      return;
    }
    ManagedChannel channel = client;
    if (channel != null) {
      channel.shutdown();
    } else {
      // gRPC's handler makes of it: GOAWAY, and the end of the stream after that of the last call.
      stream.channel().close();
    }
  }

  @Override
  public String toString() {
    return "GrpcConnection(" + StreamAttachment.describe(stream) + ", " + decision.get() + ")";
  }
}
