package io.grpcstream.netty;

import static io.netty.handler.codec.http2.Http2CodecUtil.DEFAULT_PRIORITY_WEIGHT;

import io.grpc.Status;
import io.grpc.netty.GrpcHttp2ConnectionHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameListener;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Stream;

/**
 * The end of one call by us, where the call's own side of gRPC has no part in it: the caller gets a
 * status with a text, also if it is still sending, which a bare RST_STREAM could not carry.
 */
final class CallEnd {
  private CallEnd() {}

  /**
   * Ends {@code call} for both sides.
   *
   * @param listener gRPC's own, to which the end is told as if the peer had caused it
   */
  static void send(
      ChannelHandlerContext ctx,
      GrpcHttp2ConnectionHandler grpc,
      Http2Stream call,
      Status status,
      Http2FrameListener listener)
      throws Http2Exception {
    Http2Headers trailers = trailers(status, isBegun(grpc, call));
    if (!grpc.connection().isServer()) {
      listener.onHeadersRead(ctx, call.id(), trailers, 0, DEFAULT_PRIORITY_WEIGHT, false, 0, true);
      grpc.encoder().writeRstStream(ctx, call.id(), Http2Error.CANCEL.code(), ctx.newPromise());
      return;
    }
    long code = Http2Error.ENHANCE_YOUR_CALM.code();
    boolean writable =
        call.state() == Http2Stream.State.OPEN
            || call.state() == Http2Stream.State.HALF_CLOSED_REMOTE;
    // What waits for the caller's window would have to go before the trailers.
    if (writable && !grpc.encoder().flowController().hasFlowControlled(call)) {
      grpc.encoder().writeHeaders(ctx, call.id(), trailers, 0, true, ctx.newPromise());
      code = Http2Error.NO_ERROR.code();
    }
    listener.onRstStreamRead(ctx, call.id(), Http2Error.CANCEL.code());
    if (grpc.connection().stream(call.id()) != null) {
      grpc.encoder().writeRstStream(ctx, call.id(), code, ctx.newPromise());
    }
  }

  private static boolean isBegun(GrpcHttp2ConnectionHandler grpc, Http2Stream call) {
    return grpc.connection().isServer() ? call.isHeadersSent() : call.isHeadersReceived();
  }

  private static Http2Headers trailers(Status status, boolean begun) {
    Http2Headers trailers = new DefaultHttp2Headers(false);
    if (!begun) {
      trailers.status("200").add("content-type", "application/grpc");
    }
    return trailers
        .add("grpc-status", Integer.toString(status.getCode().value()))
        .add("grpc-message", String.valueOf(status.getDescription()));
  }
}
