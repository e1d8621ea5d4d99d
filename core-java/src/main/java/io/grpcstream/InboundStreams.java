package io.grpcstream;

import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.netty.RefusalLog;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * What becomes of the streams that peers open to one {@link GrpcStream}: their calls are denied,
 * they wait in the backlog for an accept, or they are served; once closed, they are reset.
 */
final class InboundStreams {
  private enum Mode {
    ACCEPTING,
    SERVING,
    CLOSED
  }

  private final GrpcStream owner;
  private final LiveStreams streams;
  private final Servers servers;
  private final PeerAuthorizer authorizer;
  private final RefusalLog refusals;
  private final Unattended unattended;
  private final Backlog backlog;
  private volatile Mode mode = Mode.ACCEPTING;

  InboundStreams(
      GrpcStream owner,
      LiveStreams streams,
      Servers servers,
      GrpcStream.Builder options,
      RefusalLog refusals) {
    this.owner = owner;
    this.streams = streams;
    this.servers = servers;
    this.refusals = refusals;
    authorizer = options.authorizer;
    Duration timeout = options.backlogTimeout;
    unattended = new Unattended(owner.address(), timeout);
    backlog =
        new Backlog(
            options.backlog,
            timeout,
            refusals,
            unattended,
            stream -> new GrpcConnection(owner, this, stream, timeout, refusals));
  }

  /** Takes a new stream; see {@link GrpcStream#handler}. */
  void onStream(Stream stream) {
    streams.undecided(stream);
    if (isClosed()) {
      stream.reset();
    } else if (!authorizer.allows(stream.remotePeer(), stream.protocol())) {
      refusals.refused(stream, Refusal.NOT_AUTHORIZED, "the authorizer does not allow it");
      streams.served(stream);
      servers.deny(stream);
    } else if (mode == Mode.SERVING) {
      serve(stream);
    } else {
      stream.channel().config().setAutoRead(false);
      unattended.waits(stream);
      placed(stream, backlog.offer(stream));
    }
  }

  private void placed(Stream stream, Backlog.Outcome outcome) {
    if (outcome == Backlog.Outcome.FULL) {
      refusals.refused(
          stream,
          Refusal.NOT_ACCEPTED,
          "reset, as " + backlog.size() + " streams wait to be accepted" + unattended.reason());
      stream.reset();
    } else if (outcome == Backlog.Outcome.STOPPED) {
      serve(stream); // Which resets it if that is because of a shutdown.
    }
  }

  /** Serves all streams from now on, those that wait first; see {@link GrpcStream#serve()}. */
  void serveAll() {
    List<Stream> waiting;
    synchronized (this) {
      if (isClosed()) {
        throw new IllegalStateException(owner.address() + " is shut down");
      }
      servers.start();
      unattended.attend();
      mode = Mode.SERVING;
      waiting =
          backlog.stop(
              () -> new IllegalStateException(owner.address() + " serves all streams itself"));
    }
    waiting.forEach(this::serve);
  }

  /** Serves this one stream, whatever the mode and the authorizer say. */
  void serve(Stream stream) {
    streams.served(stream);
    servers.serve(stream);
    if (isClosed()) {
      stream.reset();
    }
  }

  /** The next stream that is not served at once; see {@link GrpcStream#accept}. */
  CompletableFuture<GrpcConnection> accept() {
    unattended.attend();
    return backlog.take();
  }

  /** Somebody decided about a stream that was accepted. */
  void decided(Stream stream) {
    streams.served(stream);
  }

  /** Puts a stream that was accepted back to the head of the backlog. */
  void takeBack(Stream stream) {
    streams.undecided(stream);
    placed(stream, backlog.putBack(stream));
  }

  /** Resets the streams in the backlog, and all that come from now on. */
  void close() {
    List<Stream> waiting;
    synchronized (this) {
      mode = Mode.CLOSED;
      unattended.attend();
      waiting = backlog.stop(ClosedChannelException::new);
    }
    waiting.forEach(Stream::reset);
  }

  boolean isClosed() {
    return mode == Mode.CLOSED;
  }

  /** The mode, for people. */
  @Override
  public String toString() {
    return mode.toString();
  }
}
