package io.grpcstream.libp2p.dial;

import io.grpcstream.libp2p.LimitExceededException;
import io.grpcstream.libp2p.ProtocolNotSupportedException;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.connection.DefaultConnection;
import io.grpcstream.libp2p.util.EventLoops;
import io.grpcstream.libp2p.util.Futures;
import io.grpcstream.libp2p.util.StageFuture;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Opens one stream to a peer, whatever it takes: over a live connection, or by a dial. If the
 * connection dies under the stream before it stands, tries once more, on another connection; but
 * not after one that was dialled for it and on which nothing ever came from the peer, as that is
 * how peers turn one away.
 */
public final class StreamDial {
  private final Supplier<CompletableFuture<DefaultConnection>> connect;
  private final List<String> protocols;
  private final CompletableFuture<Stream> result = new StageFuture<>();
  private final long begun = System.nanoTime();
  private volatile @Nullable CompletableFuture<Stream> opening;

  private StreamDial(
      Supplier<CompletableFuture<DefaultConnection>> connect, List<String> protocols) {
    this.connect = connect;
    this.protocols = protocols;
  }

  /**
   * Opens a stream.
   *
   * @param connect finds a connection: asked once, and once more if the first one died
   */
  public static CompletableFuture<Stream> open(
      Supplier<CompletableFuture<DefaultConnection>> connect, List<String> protocols) {
    StreamDial dial = new StreamDial(connect, protocols);
    dial.result.whenComplete((stream, failure) -> dial.onResult());
    dial.attempt(true);
    return dial.result;
  }

  private void attempt(boolean mayRetry) {
    connect
        .get()
        .whenComplete(
            (connection, failure) -> {
              if (connection == null) {
                result.completeExceptionally(Futures.unwrap(failure));
              } else if (!result.isDone()) {
                openOn(connection, mayRetry);
              }
            });
  }

  private void openOn(DefaultConnection connection, boolean mayRetry) {
    CompletableFuture<Stream> stream = connection.open(protocols);
    opening = stream;
    if (result.isDone()) {
      stream.cancel(false);
    }
    stream.whenComplete(
        (opened, failure) -> {
          if (opened != null) {
            if (!result.complete(opened)) {
              opened.reset();
            }
          } else if (mayRetry) {
            // A dying connection takes its streams along before it knows of its own end.
            EventLoops.runLaterOrHere(
                connection.loop(), () -> retry(connection, Futures.unwrap(failure)));
          } else {
            result.completeExceptionally(Futures.unwrap(failure));
          }
        });
  }

  private void retry(DefaultConnection connection, Throwable failure) {
    if (isWorthAnother(connection, failure)) {
      attempt(false);
    } else {
      result.completeExceptionally(failure);
    }
  }

  private boolean isWorthAnother(DefaultConnection connection, Throwable failure) {
    return !result.isDone()
        && !connection.isHostClosing()
        && !connection.takesStreams()
        && !hasTurnedAway(connection)
        && !(failure instanceof ProtocolNotSupportedException)
        && !(failure instanceof LimitExceededException);
  }

  /** Whether the peer ended what was dialled for this stream without a word: it would again. */
  private boolean hasTurnedAway(DefaultConnection connection) {
    return connection.openedAt() - begun > 0 && !connection.hasHeard();
  }

  private void onResult() {
    CompletableFuture<Stream> current = opening;
    if (result.isCancelled() && current != null) {
      current.cancel(false);
    }
  }
}
