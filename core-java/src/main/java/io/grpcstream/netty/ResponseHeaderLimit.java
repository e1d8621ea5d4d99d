package io.grpcstream.netty;

import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpcstream.libp2p.Stream;
import java.util.Comparator;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Keeps what services send within the header list that the caller takes
 * (SETTINGS_MAX_HEADER_LIST_SIZE, RFC 9113, section 6.5.2). A longer one would cost the caller the
 * call's status, and, if it is much longer, all its calls on the stream.
 *
 * <ul>
 *   <li>Of an <b>end</b>, the code stays as it is. Where the rest does not fit, the rich details
 *       ({@code grpc-status-details-bin}) are left out, then the largest trailers, and the text is
 *       shortened; the text says so.
 *   <li><b>Initial metadata</b> cannot be shortened, as messages follow: the call ends with {@code
 *       RESOURCE_EXHAUSTED} and a text that says why.
 * </ul>
 *
 * <p>The first time is logged as a warning for users, later ones at debug level. To be the
 * outermost interceptor: it also sees to {@linkplain LateAnswers answers that come too late}.
 */
public final class ResponseHeaderLimit implements ServerInterceptor {

  /** What gRPC adds: {@code :status}, {@code content-type}, the encodings, {@code grpc-status}. */
  private static final int ADDED = 256;

  private static final int TEXT_FIELD = "grpc-message".length() + HeaderSize.FIELD;

  /** A text is not cut below this to keep trailers. */
  private static final int LEAST_TEXT = 512;

  private static final String DETAILS = "grpc-status-details-bin";

  private final AtomicBoolean warned = new AtomicBoolean();

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    Stream stream = call.getAttributes().get(StreamAttachment.STREAM);
    if (stream == null) {
      return next.startCall(call, headers);
    }
    FittingCall<Q, R> fitting = new FittingCall<>(call, stream);
    return new SimpleForwardingServerCallListener<>(next.startCall(fitting, headers)) {
      @Override
      public void onComplete() {
        if (fitting.failed) {
          super.onCancel(); // It is not what the service said.
        } else {
          super.onComplete();
        }
      }
    };
  }

  private void tell(Stream stream, ServerCall<?, ?> call, String what) {
    String method = call.getMethodDescriptor().getFullMethodName();
    if (warned.compareAndSet(false, true)) {
      UserLog.LOG.warn(
          "{}: call {} {}; have services send less, or peers take more (gRPC's"
              + " maxInboundMetadataSize at the caller); later ones are logged at debug level",
          StreamAttachment.describe(stream),
          method,
          what);
    } else {
      UserLog.LOG.debug("{}: call {} {}", StreamAttachment.describe(stream), method, what);
    }
  }

  private final class FittingCall<Q, R> extends LateAnswers<Q, R> {
    /** Whether we have ended the call: what the service still sends has no effect. */
    private volatile boolean failed;

    FittingCall(ServerCall<Q, R> call, Stream stream) {
      super(call, stream);
    }

    @Override
    public void sendHeaders(Metadata headers) {
      long limit = HeaderSize.limit(stream);
      long size = HeaderSize.of(headers) + ADDED;
      if (size <= limit) {
        super.sendHeaders(headers);
        return;
      }
      failed = true;
      String text =
          "initial metadata of %,d bytes, of which peer %s takes %,d"
              .formatted(size, stream.remotePeer(), limit);
      tell(stream, delegate(), "failed with RESOURCE_EXHAUSTED: " + text);
      super.close(Status.RESOURCE_EXHAUSTED.withDescription(text), new Metadata());
    }

    @Override
    public boolean isCancelled() {
      return failed || super.isCancelled();
    }

    @Override
    public void sendMessage(R message) {
      if (!failed) {
        super.sendMessage(message);
      }
    }

    @Override
    public void close(Status status, Metadata trailers) {
      if (failed) {
        return;
      }
      long limit = HeaderSize.limit(stream) - ADDED;
      long size = HeaderSize.of(trailers) + sizeOf(status.getDescription());
      if (size <= limit) {
        super.close(status, trailers);
        return;
      }
      String note =
          "(shortened: %,d bytes of status and trailers, of which peer %s takes %,d)"
              .formatted(size + ADDED, stream.remotePeer(), limit + ADDED);
      Metadata fitting = fit(trailers, limit);
      String text = shorten(status.getDescription(), note, limit - HeaderSize.of(fitting));
      tell(stream, delegate(), "ended with less than its service said " + note);
      super.close(status.withDescription(text), fitting);
    }
  }

  private static long sizeOf(@Nullable String text) {
    return text == null ? 0 : TEXT_FIELD + HeaderSize.ofText(text);
  }

  /** As much of {@code trailers} as leaves room for a text. */
  private static Metadata fit(Metadata trailers, long limit) {
    Metadata fitting = new Metadata();
    fitting.merge(trailers);
    if (HeaderSize.of(fitting) > limit - LEAST_TEXT) {
      discard(fitting, DETAILS);
    }
    while (HeaderSize.of(fitting) > limit - LEAST_TEXT && !fitting.keys().isEmpty()) {
      discard(
          fitting,
          fitting.keys().stream()
              .max(Comparator.comparingLong(name -> sizeOf(fitting, name)))
              .orElseThrow());
    }
    return fitting;
  }

  private static long sizeOf(Metadata metadata, String name) {
    Metadata without = new Metadata();
    without.merge(metadata);
    discard(without, name);
    return HeaderSize.of(metadata) - HeaderSize.of(without);
  }

  private static void discard(Metadata metadata, String name) {
    if (name.endsWith(Metadata.BINARY_HEADER_SUFFIX)) {
      metadata.discardAll(Metadata.Key.of(name, Metadata.BINARY_BYTE_MARSHALLER));
    } else {
      metadata.discardAll(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER));
    }
  }

  /** The head of {@code text}, and {@code note}; null if not even that fits. */
  private static @Nullable String shorten(@Nullable String text, String note, long limit) {
    long left = limit - sizeOf(note) - " … ".length() * 3L;
    if (left < 0) {
      return null;
    }
    if (text == null || text.isEmpty()) {
      return note;
    }
    if (HeaderSize.ofText(text) <= left) {
      return text + " " + note;
    }
    int end = 0;
    while (end < text.length()) {
      int next = text.offsetByCodePoints(end, 1);
      left -= HeaderSize.ofText(text.substring(end, next));
      if (left < 0) {
        break;
      }
      end = next;
    }
    return text.substring(0, end) + "… " + note;
  }
}
