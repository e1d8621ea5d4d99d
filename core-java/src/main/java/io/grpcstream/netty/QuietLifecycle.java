package io.grpcstream.netty;

import io.grpc.netty.GrpcHttp2ConnectionHandler;
import io.grpcstream.libp2p.Stream;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Exception.StreamException;
import io.netty.handler.codec.http2.Http2LifecycleManager;
import io.netty.handler.codec.http2.Http2Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stands before gRPC's {@link Http2LifecycleManager}, so that calls end without a word in the log.
 *
 * <ul>
 *   <li>On a server, takes the failures of what could no longer be written to a call that is over,
 *       as when its caller has left with responses on their way. All have heard of the end by then;
 *       gRPC's server would log each with its stack, and answer a reset by a reset, which RFC 9113,
 *       section 5.4.2, forbids.
 *   <li>Lets a call be over as soon as it is reset, not when the reset has been sent: what arrives
 *       for it in between, Netty would log frame by frame.
 * </ul>
 */
final class QuietLifecycle implements Http2LifecycleManager {
  private static final Logger log = LoggerFactory.getLogger(QuietLifecycle.class);

  private final GrpcHttp2ConnectionHandler grpc;
  private final Stream stream;

  QuietLifecycle(GrpcHttp2ConnectionHandler grpc, Stream stream) {
    this.grpc = grpc;
    this.stream = stream;
  }

  @Override
  public void onError(ChannelHandlerContext ctx, boolean outbound, Throwable cause) {
    Http2Exception http2 = Http2CodecUtil.getEmbeddedHttp2Exception(cause);
    if (grpc.connection().isServer()
        && outbound
        && http2 instanceof StreamException unwritten
        && isOver(unwritten)) {
      log.debug(
          "{}: call {} ended with responses unsent",
          StreamAttachment.describe(stream),
          unwritten.streamId());
      return;
    }
    grpc.onError(ctx, outbound, cause);
  }

  private boolean isOver(StreamException unwritten) {
    if (unwritten.error() != Http2Error.STREAM_CLOSED) {
      return false;
    }
    Http2Stream call = grpc.connection().stream(unwritten.streamId());
    return call == null || call.state() == Http2Stream.State.CLOSED;
  }

  @Override
  public void closeStreamLocal(Http2Stream call, ChannelFuture future) {
    grpc.closeStreamLocal(call, future);
  }

  @Override
  public void closeStreamRemote(Http2Stream call, ChannelFuture future) {
    grpc.closeStreamRemote(call, future);
  }

  @Override
  public void closeStream(Http2Stream call, ChannelFuture future) {
    grpc.closeStream(call, future);
  }

  @Override
  public ChannelFuture resetStream(
      ChannelHandlerContext ctx, int streamId, long errorCode, ChannelPromise promise) {
    ChannelFuture sent = grpc.resetStream(ctx, streamId, errorCode, promise);
    Http2Stream call = grpc.connection().stream(streamId);
    if (call != null) {
      call.close();
    }
    return sent;
  }

  @Override
  public ChannelFuture goAway(
      ChannelHandlerContext ctx,
      int lastStreamId,
      long errorCode,
      ByteBuf debugData,
      ChannelPromise promise) {
    return grpc.goAway(ctx, lastStreamId, errorCode, debugData, promise);
  }
}
