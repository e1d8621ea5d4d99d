package io.grpcstream.netty;

import io.grpc.Status;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.libraries.Libraries;
import io.grpcstream.libp2p.mux.ConnectionEnded;
import io.grpcstream.libp2p.mux.StreamChannel;
import io.netty.channel.Channel;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Why the one stream of a gRPC channel can take no more calls; the first reason counts. */
final class StreamEnd {
  /** The reason when nobody has given one. */
  static final String LOST = "it was reset, or its connection was lost";

  /** The reason when the user has closed it. */
  static final String CLOSED_HERE = "it was closed on this side";

  /** The reason when a call loses messages that have arrived. */
  static final String UNREAD = "it was cut with messages unread";

  /** What may lie behind a peer that has agreed to a stream and says nothing on it. */
  static final String UNHEARD =
      " (nothing came on it before: the peer may not be serving it, have too many streams waiting,"
          + " or refuse this one)";

  /** All that gRPC says by itself of a stream that was lost by an {@code IOException}. */
  private static final String IO_EXCEPTION = "io exception";

  private final Stream stream;
  private volatile boolean heard;
  private volatile @Nullable String goAway;
  private final AtomicReference<@Nullable Status> status = new AtomicReference<>();

  StreamEnd(Stream stream) {
    this.stream = stream;
  }

  Stream stream() {
    return stream;
  }

  /** Something has come on the stream, such as the peer's SETTINGS. */
  void heard() {
    heard = true;
  }

  /** The peer takes no more calls (GOAWAY): to be given as the reason, if no other is known. */
  void goAway(String why) {
    goAway = "the peer takes no more calls on it (GOAWAY)" + why;
  }

  /** What the peer's GOAWAY said; null if none has come. */
  @Nullable String goAway() {
    return goAway;
  }

  /** The status of a call that has run out of time, and what may lie behind that. */
  Status explainDeadline(Status exceeded) {
    return heard
        ? exceeded
        : exceeded.withDescription(
            exceeded.getDescription() + ": " + StreamAttachment.describe(stream) + UNHEARD);
  }

  /** The status of every call that comes too late, or null while the stream can take calls. */
  @Nullable Status status() {
    return status.get();
  }

  /**
   * Notes why the stream ended, unless that is known, and returns what is known. That is what it
   * was lost by, of which the stream's handlers may hear only later, or were too late to hear; else
   * {@code reason}.
   */
  Status record(String reason) {
    Throwable lost = stream.channel() instanceof StreamChannel channel ? channel.lossCause() : null;
    return lost == null ? record(reason, null, "") : recordFailure(lost);
  }

  /** Notes that the stream has failed, and what may lie behind that. */
  Status recordFailure(Throwable cause) {
    return record("it failed", cause, hint(cause));
  }

  /**
   * What may lie behind a stream that the peer has agreed to and then ends without a word of
   * HTTP/2, while the connection stands.
   */
  private String hint(Throwable cause) {
    Channel connection = stream.channel().parent();
    boolean connected = connection == null || connection.isActive();
    return heard || !connected || cause instanceof ConnectionEnded ? "" : UNHEARD;
  }

  /** Notes {@code reason}, whatever else has become of the stream, unless one is known. */
  Status record(String reason, @Nullable Throwable cause) {
    return record(reason, cause, "");
  }

  /**
   * The same.
   *
   * @param hint what may lie behind the cause, to stand behind its text; or nothing
   */
  Status record(String reason, @Nullable Throwable cause, String hint) {
    Status known = status.get();
    if (known != null) {
      return known;
    }
    String text = StreamAttachment.describe(stream) + ": " + reason;
    LinkageError linkage = Libraries.linkageError(cause);
    if (linkage != null) {
      text += ": " + Libraries.describe(linkage);
    } else if (cause != null && cause.getMessage() != null) {
      text += ": " + cause.getMessage();
    }
    Status first = Status.UNAVAILABLE.withDescription(text + hint).withCause(cause);
    Status before = status.compareAndExchange(null, first);
    return before == null ? first : before;
  }

  /**
   * What {@code failure}, of a call over the stream and told by gRPC itself, is to the call's user:
   * it names the peer, and why the stream ended, if that is known.
   */
  Status explain(Status failure) {
    String text = failure.getDescription();
    String name = StreamAttachment.describe(stream);
    if (text != null && text.contains(name)) {
      return failure;
    }
    Status known = status.get();
    String told = known == null ? null : known.getDescription();
    if (text != null && (name + ": " + CLOSED_HERE).equals(told)) {
      told = null; // It was gRPC that closed it, and it says why, such as a failed keep-alive.
    }
    StringBuilder explained = new StringBuilder(told == null ? name : told);
    Throwable cause = failure.getCause();
    String why = cause == null ? null : cause.getMessage();
    boolean same = told != null && why != null && told.contains(why);
    if (text != null && !(same && text.equals(IO_EXCEPTION))) {
      explained.append(": ").append(text);
    }
    if (cause == null && known != null) {
      cause = known.getCause();
    } else if (why != null && !same) {
      explained.append(": ").append(why);
    }
    // Not knowing more than that a channel is closed is all that UNKNOWN stands for here.
    boolean lost = failure.getCode() == Status.Code.UNKNOWN && known != null;
    return (lost ? Status.UNAVAILABLE : failure.getCode().toStatus())
        .withDescription(explained.toString())
        .withCause(cause);
  }
}
