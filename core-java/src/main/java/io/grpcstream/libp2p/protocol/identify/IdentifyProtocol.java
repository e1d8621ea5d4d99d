package io.grpcstream.libp2p.protocol.identify;

import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.StreamHandler;
import io.grpcstream.libp2p.util.EventLoops;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Identify 1.0.0 and its push form (libp2p specs, {@code identify/README.md}).
 *
 * <p>One exchange is one stream: a message of at most {@value IdentifyCodec#SEND_LIMIT} bytes one
 * way, then the end of the stream. From others up to {@value IdentifyReader#MAX_MESSAGES} messages
 * of {@value IdentifyReader#MAX_MESSAGE_BYTES} bytes each are merged, if the stream ends within
 * {@link #TIMEOUT}.
 */
public final class IdentifyProtocol {
  /** The protocol id of a query: the responder sends. */
  public static final String ID = "/ipfs/id/1.0.0";

  /** The protocol id of a push: the initiator sends. */
  public static final String PUSH_ID = "/ipfs/id/push/1.0.0";

  /** The largest message sent, in bytes. */
  public static final int SEND_LIMIT = IdentifyCodec.SEND_LIMIT;

  /** How long an exchange may take, either way. */
  public static final Duration TIMEOUT = Duration.ofSeconds(5);

  private static final Logger logger = LoggerFactory.getLogger(IdentifyProtocol.class);

  private IdentifyProtocol() {}

  /**
   * As much of {@code identify} as can be told in one message, from the beginning of each of its
   * lists; itself if all can.
   *
   * @throws IllegalArgumentException if even without the lists it is too much
   */
  public static Identify fit(Identify identify) {
    return IdentifyCodec.fit(identify);
  }

  /**
   * Serves queries ({@link #ID}).
   *
   * @param self what to tell, asked on the stream's event loop; where it has no observed address,
   *     the remote address of the stream is told
   */
  public static StreamHandler responder(Supplier<Identify> self) {
    return stream -> {
      Identify identify = self.get();
      IdentifyWriter.send(
          stream,
          identify.observedAddress() == null
              ? identify.withObservedAddress(stream.remoteAddress())
              : identify,
          new CompletableFuture<>());
    };
  }

  /**
   * Receives pushes ({@link #PUSH_ID}).
   *
   * @param preferred which addresses to keep where a peer tells more than is kept
   * @param receiver called on the stream's event loop with each push that was in order; must not
   *     block. One that was not is logged at debug, and its stream reset
   */
  public static StreamHandler pushReceiver(
      Predicate<Multiaddr> preferred, BiConsumer<Stream, Identify> receiver) {
    return stream -> {
      CompletableFuture<Identify> result = new CompletableFuture<>();
      result
          .thenAccept(identify -> receiver.accept(stream, identify))
          .exceptionally(
              failure -> {
                if (!result.isCompletedExceptionally()) {
                  logger.warn("{}: the receiver of a push failed", stream, failure);
                }
                return null;
              });
      IdentifyReader.receive(stream, preferred, result);
    };
  }

  /**
   * Asks a peer who it is, on a stream that was just opened with {@link #ID}, and closes the
   * stream. May be called from any thread.
   *
   * <p>The stage completes on the stream's event loop; it fails with an {@link IdentifyException}.
   *
   * @param preferred which addresses to keep where the peer tells more than is kept
   */
  public static CompletionStage<Identify> query(Stream stream, Predicate<Multiaddr> preferred) {
    CompletableFuture<Identify> result = new CompletableFuture<>();
    onLoop(
        stream,
        result,
        () -> {
          IdentifyReader.receive(stream, preferred, result);
          stream.channel().read();
        });
    return result;
  }

  /**
   * Tells a peer what has changed, on a stream that was just opened with {@link #PUSH_ID}, and
   * closes the stream. May be called from any thread.
   *
   * <p>The stage completes on the stream's event loop, once the message is sent; it fails with an
   * {@link IdentifyException}, or an {@link IllegalArgumentException} if the message is too large.
   */
  public static CompletionStage<Void> push(Stream stream, Identify identify) {
    CompletableFuture<Void> result = new CompletableFuture<>();
    onLoop(stream, result, () -> IdentifyWriter.send(stream, identify, result));
    return result;
  }

  private static void onLoop(Stream stream, CompletableFuture<?> result, Runnable task) {
    Runnable safe =
        () -> {
          try {
            task.run();
          } catch (RuntimeException e) {
            stream.reset();
            result.completeExceptionally(e);
          }
        };
    if (!EventLoops.run(stream.channel().eventLoop(), safe)) {
      result.completeExceptionally(
          new IdentifyException("identify: " + stream + " has ended with its event loop", null));
    }
  }
}
