package io.grpcstream.netty;

import io.grpc.netty.GrpcHttp2ConnectionHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameListener;
import io.netty.handler.codec.http2.Http2FrameListenerDecorator;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.util.AsciiString;
import org.jspecify.annotations.Nullable;

/**
 * Takes out the frames from a client that are HTTP/2, but not gRPC, and that gRPC's server would
 * answer by an exception and its stack in the log. It knows no more of HTTP/2 than their headers.
 */
final class CheckedFrames extends Http2FrameListenerDecorator {
  private static final AsciiString TIMEOUT = AsciiString.cached("grpc-timeout");
  private static final AsciiString TE = AsciiString.cached("te");
  private static final AsciiString TRAILERS = AsciiString.cached("trailers");

  /** gRPC over HTTP/2: "TimeoutValue: positive integer as ASCII string of at most 8 digits". */
  private static final int MAX_TIMEOUT_DIGITS = 8;

  private static final String TIMEOUT_UNITS = "HMSmun";

  private final GrpcHttp2ConnectionHandler grpc;
  private final PeerErrorLog faults;

  CheckedFrames(GrpcHttp2ConnectionHandler grpc, PeerErrorLog faults, Http2FrameListener listener) {
    super(listener);
    this.grpc = grpc;
    this.faults = faults;
  }

  @Override
  public void onHeadersRead(
      ChannelHandlerContext ctx,
      int streamId,
      Http2Headers headers,
      int streamDependency,
      short weight,
      boolean exclusive,
      int padding,
      boolean endOfStream)
      throws Http2Exception {
    String fault = faultOf(headers);
    if (fault != null) {
      faults.report("call reset, as " + fault);
      grpc.encoder()
          .writeRstStream(ctx, streamId, Http2Error.PROTOCOL_ERROR.code(), ctx.newPromise());
      return;
    }
    if (!TRAILERS.contentEquals(String.valueOf(headers.get(TE)))) {
      // It is there to warn of proxies that drop trailers, and there are none on a libp2p stream.
      headers.set(TE, TRAILERS);
    }
    super.onHeadersRead(
        ctx, streamId, headers, streamDependency, weight, exclusive, padding, endOfStream);
  }

  private static @Nullable String faultOf(Http2Headers headers) {
    CharSequence path = headers.path();
    if (path != null && path.length() == 0) {
      return "its path is empty";
    }
    CharSequence timeout = headers.get(TIMEOUT);
    return timeout == null || isTimeout(timeout) ? null : "its grpc-timeout is none";
  }

  private static boolean isTimeout(CharSequence text) {
    int digits = text.length() - 1;
    return digits >= 1
        && digits <= MAX_TIMEOUT_DIGITS
        && TIMEOUT_UNITS.indexOf(text.charAt(digits)) >= 0
        && text.chars().limit(digits).allMatch(c -> c >= '0' && c <= '9');
  }
}
