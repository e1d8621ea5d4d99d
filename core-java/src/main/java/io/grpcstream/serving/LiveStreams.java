package io.grpcstream.serving;

import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.util.EventLoops;
import io.grpcstream.netty.OneStreamChannel;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** All streams of one {@code GrpcStream}, and the end of the last one of them. */
public final class LiveStreams {
  /** What is on a stream. */
  private enum Role {
    UNDECIDED,
    SERVED
  }

  /** The value is a {@link Role}, or the {@link OneStreamChannel} of a client. */
  private final Map<Stream, Object> streams = new ConcurrentHashMap<>();

  private final CompletableFuture<Void> allEnded = new CompletableFuture<>();
  private volatile boolean ending;

  /** A stream that awaits a decision, and ends with its host if none is made. */
  void undecided(Stream stream) {
    put(stream, Role.UNDECIDED);
    stream
        .hostShutdown()
        .thenRun(
            () -> {
              if (streams.get(stream) == Role.UNDECIDED) {
                stream.reset();
              }
            });
  }

  /** A stream that was decided about; what it becomes is told by another call, unless it ends. */
  void served(Stream stream) {
    put(stream, Role.SERVED);
  }

  /** A stream that carries a client. */
  public void wrapped(OneStreamChannel client) {
    put(client.stream(), client);
  }

  private void put(Stream stream, Object role) {
    if (streams.put(stream, role) == null) {
      // One turn after the end: by then gRPC's own listeners have heard of it.
      stream
          .channel()
          .closeFuture()
          .addListener(
              closed ->
                  EventLoops.runLaterOrHere(stream.channel().eventLoop(), () -> remove(stream)));
    }
  }

  private void remove(Stream stream) {
    streams.remove(stream);
    completeIfEnded();
  }

  private void completeIfEnded() {
    if (ending && streams.isEmpty()) {
      allEnded.complete(null);
    }
  }

  /** Completes once {@link #end} was called and no stream is left. */
  public CompletableFuture<Void> ended() {
    return allEnded;
  }

  /** Whether the calling thread is the event loop of one of the streams. */
  public boolean inEventLoop() {
    return streams.keySet().stream().anyMatch(s -> s.channel().eventLoop().inEventLoop());
  }

  /**
   * Resets the undecided streams, drains the clients, and cuts what is left after {@code grace}.
   * Served streams are drained by their server. Calling it again can only shorten the grace.
   *
   * @param reason for the statuses of clients' calls
   * @return completes once no stream is left
   */
  public CompletableFuture<Void> end(String reason, Duration grace) {
    ending = true;
    streams.forEach(
        (stream, role) -> {
          if (role == Role.UNDECIDED) {
            stream.reset();
            return;
          }
          if (role instanceof OneStreamChannel client) {
            client.drain(reason);
            cutAfter(stream, grace, client::cut);
          } else {
            cutAfter(stream, grace, stream::reset);
          }
        });
    completeIfEnded();
    return allEnded;
  }

  private static void cutAfter(Stream stream, Duration grace, Runnable cut) {
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
