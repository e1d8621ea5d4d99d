package io.grpcstream.libp2p.connection;

import io.grpcstream.libp2p.HostClosedException;
import io.grpcstream.libp2p.Libp2pException;
import io.grpcstream.libp2p.LimitExceededException;
import io.grpcstream.libp2p.ProtocolNotSupportedException;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.multistream.MultistreamInitiator;
import io.grpcstream.libp2p.multistream.NoCommonProtocolException;
import io.grpcstream.libp2p.mux.StreamChannel;
import io.grpcstream.libp2p.mux.yamux.StreamResetException;
import io.grpcstream.libp2p.resources.FailureText;
import io.grpcstream.libp2p.resources.ResourceManager.StreamSlot;
import io.grpcstream.libp2p.stream.ReadGate;
import io.grpcstream.libp2p.text.DurationText;
import io.grpcstream.libp2p.util.EventLoops;
import io.grpcstream.libp2p.util.StageFuture;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Opens one stream over one connection: slot, channel, agreement on a protocol. Whoever cancels the
 * result gets no stream: one that still arrives is reset. Runs on the connection's event loop.
 */
final class OutboundNegotiation {
  private static final String RESET_HINT =
      "as a rule a limit of its streams is reached, or whoever serves it there refuses this one or"
          + " has shut down";

  private static final String NO_ROOM =
      "it waited for the peer to acknowledge streams that were opened before it";

  final CompletableFuture<Stream> result = new StageFuture<>();
  private final DefaultConnection connection;
  private final StreamRules rules;
  private final List<String> protocols;
  private @Nullable StreamSlot slot;
  private @Nullable StreamChannel channel;
  private @Nullable MultistreamInitiator negotiation;
  private boolean opening;

  OutboundNegotiation(DefaultConnection connection, StreamRules rules, List<String> protocols) {
    this.connection = connection;
    this.rules = rules;
    this.protocols = protocols;
  }

  void begin() {
    if (result.isDone()) {
      return;
    }
    if (!connection.takesStreams()) {
      fail(connection.streamRefusal());
      return;
    }
    StreamSlot taken;
    try {
      taken = rules.resources().stream(connection.remotePeer(), false);
      slot = taken;
      if (protocols.size() == 1) {
        taken.setProtocol(protocols.get(0));
      }
    } catch (LimitExceededException e) {
      fail(e);
      return;
    }
    expire();
    opening = true;
    Future<? extends StreamChannel> opened = connection.openChannel();
    opened.addListener(f -> onOpened(taken, opened));
    result.whenComplete(
        (stream, failure) -> {
          if (result.isCancelled()) {
            EventLoops.run(connection.loop(), this::cut);
          }
        });
  }

  /** Bounds all of it, the wait for the muxer to have room for the stream included. */
  private void expire() {
    Duration timeout = rules.timeout();
    Future<?> deadline =
        connection
            .loop()
            .schedule(() -> fail(overdue(timeout)), timeout.toNanos(), TimeUnit.NANOSECONDS);
    result.whenComplete((stream, failure) -> deadline.cancel(false));
  }

  private Libp2pException overdue(Duration timeout) {
    MultistreamInitiator begun = negotiation;
    return failure(
        "no agreement within " + DurationText.of(timeout),
        begun == null ? NO_ROOM : begun.progress() + " from the peer",
        null);
  }

  private void onOpened(StreamSlot taken, Future<? extends StreamChannel> opened) {
    opening = false;
    if (!opened.isSuccess()) {
      taken.release();
      fail(failure("not opened", opened.cause()));
      return;
    }
    StreamChannel stream = opened.getNow();
    channel = stream;
    stream.finished().addListener(f -> taken.release());
    stream
        .closeFuture()
        .addListener(
            f -> {
              if (!result.isDone()) {
                fail(
                    connection.isHostClosing()
                        ? connection.streamRefusal()
                        : failure("reset", null));
              }
            });
    if (result.isDone()) {
      cut();
      return;
    }
    connection.negotiating(stream);
    MultistreamInitiator begun = new MultistreamInitiator(protocols, rules.timeout());
    negotiation = begun;
    stream.pipeline().addLast(begun);
    begun.agreed().addListener((Future<String> agreed) -> onAgreed(taken, stream, agreed));
  }

  private void onAgreed(StreamSlot taken, StreamChannel on, Future<String> agreed) {
    if (!agreed.isSuccess()) {
      Throwable cause = agreed.cause();
      if (cause instanceof NoCommonProtocolException) {
        fail(
            new ProtocolNotSupportedException(
                connection.remotePeer(), connection.remoteAddress(), protocols));
      } else if (isResetByPeer(cause)) {
        fail(
            failure(
                "the peer reset the stream while its protocol was negotiated", RESET_HINT, cause));
      } else {
        // The protocols are in the text of the cause.
        fail(wrap("no agreement: " + stream(), connection.explain(cause), cause));
      }
      return;
    }
    String protocol = agreed.getNow();
    if (result.isDone()) {
      cut();
      return;
    }
    try {
      if (protocols.size() > 1) {
        taken.setProtocol(protocol);
      }
    } catch (LimitExceededException e) {
      fail(e);
      return;
    }
    on.pipeline().addLast(ReadGate.outbound());
    Stream stream = connection.admit(on, protocol, true);
    if (!result.complete(stream)) {
      stream.reset();
    }
  }

  private static boolean isResetByPeer(@Nullable Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof StreamResetException reset) {
        return reset.isRemote();
      }
    }
    return false;
  }

  private Libp2pException failure(String what, @Nullable Throwable cause) {
    return failure(what, cause == null ? null : FailureText.of(cause), cause);
  }

  private Libp2pException failure(String what, @Nullable String why, @Nullable Throwable cause) {
    return wrap(what + ": " + stream() + " for " + protocols, why, cause);
  }

  private String stream() {
    return "stream to peer " + connection.remotePeer() + " at " + connection.remoteAddress();
  }

  private static Libp2pException wrap(
      String text, @Nullable String why, @Nullable Throwable cause) {
    return cause instanceof HostClosedException closed
        ? closed
        : new Libp2pException(why == null ? text : text + ": " + why, cause);
  }

  private void fail(Throwable failure) {
    if (result.completeExceptionally(failure)) {
      cut();
    }
  }

  private void cut() {
    if (channel != null) {
      channel.reset();
    } else if (slot != null && !opening) {
      slot.release();
    }
  }
}
