package io.grpcstream;

import io.grpc.ManagedChannel;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.netty.StreamAttachment;
import io.grpcstream.serving.InboundStreams;
import io.grpcstream.serving.TrackedStream;
import io.grpcstream.serving.TrackedStream.State;
import java.util.concurrent.CompletionStage;

/**
 * One accepted stream, awaiting a decision: {@link #serve}, {@link #client}, {@link #refuse} or
 * {@link #giveBack}, exactly one of them. Until then its bytes wait, uncredited, with the peer.
 *
 * <p>The decision has the time that {@link GrpcStream.Builder#backlogTimeout} sets, from the moment
 * the connection is handed out; then the stream is reset. A decision that comes too late throws
 * nothing: calls on the stream fail, as on any that has ended, and giving back does nothing.
 *
 * <p>All methods may be called from any thread; none blocks.
 */
public final class GrpcConnection implements AutoCloseable {
  private final GrpcStream owner;
  private final InboundStreams<GrpcConnection> inbound;
  private final TrackedStream live;
  private final Stream stream;

  GrpcConnection(GrpcStream owner, InboundStreams<GrpcConnection> inbound, TrackedStream live) {
    this.owner = owner;
    this.inbound = inbound;
    this.live = live;
    stream = live.stream();
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
    live.decide(State.SERVED);
    inbound.serve(stream);
  }

  /**
   * Becomes the gRPC client on this stream, which the peer has opened and serves. As with {@link
   * GrpcStream#client}, the channel ends with the stream, and no later than the {@link GrpcStream}.
   *
   * @throws IllegalStateException if the connection was decided about before
   */
  public ManagedChannel client() {
    live.decide(State.CLIENT);
    return owner.client(stream);
  }

  /**
   * Resets the stream: the peer's calls on it fail with {@code UNAVAILABLE}.
   *
   * @throws IllegalStateException if the connection was decided about before
   */
  public void refuse() {
    live.decide(State.REFUSED);
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
    if (live.decide(State.GIVEN_BACK)) {
      inbound.takeBack(stream);
    }
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
    if (live.refuseIfUndecided()) {
      return;
    }
    ManagedChannel channel = live.client();
    if (channel != null) {
      channel.shutdown();
    } else {
      // gRPC's handler makes of it: GOAWAY, and the end of the stream after that of the last call.
      stream.channel().close();
    }
  }

  @Override
  public String toString() {
    return "GrpcConnection(" + StreamAttachment.describe(stream) + ", " + live.state() + ")";
  }
}
