package io.grpcstream.serving;

import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.util.EventLoops;
import io.grpcstream.netty.OneStreamChannel;
import io.grpcstream.netty.RefusalLog;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** All streams of one {@code GrpcStream}, and the end of the last one of them. Thread-safe. */
public final class StreamTracker {
  private final Map<Stream, TrackedStream> streams = new ConcurrentHashMap<>();
  private final CompletableFuture<Void> allEnded = new CompletableFuture<>();
  private final Duration timeout;
  private final RefusalLog refusals;
  private final Supplier<String> unattended;
  private volatile boolean ending;

  /** None yet; what they are made with, see {@link TrackedStream}. */
  StreamTracker(Duration timeout, RefusalLog refusals, Supplier<String> unattended) {
    this.timeout = timeout;
    this.refusals = refusals;
    this.unattended = unattended;
  }

  /** A stream that awaits a decision, for the first time or anew. */
  TrackedStream arrived(Stream stream) {
    TrackedStream live = create(stream, TrackedStream.State.ARRIVED);
    noted(stream, streams.put(stream, live));
    stream.hostShutdown().thenRun(live::hostEnds);
    return live;
  }

  /** A stream that is served, whatever it was before. */
  void served(Stream stream) {
    known(stream, TrackedStream.State.SERVED).settle(TrackedStream.State.SERVED);
  }

  /** A stream that carries a client, whatever it was before. */
  public void wrapped(OneStreamChannel client) {
    known(client.stream(), TrackedStream.State.CLIENT).wrapped(client);
  }

  private TrackedStream known(Stream stream, TrackedStream.State first) {
    TrackedStream created = create(stream, first);
    TrackedStream before = streams.putIfAbsent(stream, created);
    noted(stream, before);
    return before == null ? created : before;
  }

  private TrackedStream create(Stream stream, TrackedStream.State first) {
    return new TrackedStream(stream, first, timeout, refusals, unattended);
  }

  private void noted(Stream stream, @Nullable TrackedStream before) {
    if (before == null) {
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
    streams.values().forEach(live -> live.end(reason, grace));
    completeIfEnded();
    return allEnded;
  }
}
