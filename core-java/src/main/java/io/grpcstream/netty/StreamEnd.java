package io.grpcstream.netty;

import io.grpc.Status;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.libraries.Libraries;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Why the one stream of a gRPC channel can take no more calls; the first reason counts. */
final class StreamEnd {
  /** The reason when nobody has given one. */
  static final String LOST = "the peer reset it, or its connection was lost";

  private final Stream stream;
  private final AtomicReference<@Nullable Status> status = new AtomicReference<>();

  StreamEnd(Stream stream) {
    this.stream = stream;
  }

  Stream stream() {
    return stream;
  }

  /** The status of every call that comes too late, or null while the stream can take calls. */
  @Nullable Status status() {
    return status.get();
  }

  /** Notes why the stream ended, unless that is known, and returns what is known. */
  Status record(String reason, @Nullable Throwable cause) {
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
    Status first = Status.UNAVAILABLE.withDescription(text).withCause(cause);
    Status before = status.compareAndExchange(null, first);
    return before == null ? first : before;
  }
}
