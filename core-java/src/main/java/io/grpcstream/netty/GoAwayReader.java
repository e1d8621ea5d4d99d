package io.grpcstream.netty;

import io.grpcstream.libp2p.multiformats.Quote;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameListener;
import io.netty.handler.codec.http2.Http2FrameListenerDecorator;
import java.nio.charset.StandardCharsets;

/**
 * Notes why a server takes no more calls on a stream, before gRPC hears of its GOAWAY (RFC 9113,
 * section 6.8) and lets the channel go idle without a reason.
 */
final class GoAwayReader extends Http2FrameListenerDecorator {
  private static final int MAX_TEXT = 160;

  private final StreamEnd end;

  GoAwayReader(StreamEnd end, Http2FrameListener listener) {
    super(listener);
    this.end = end;
  }

  @Override
  public void onGoAwayRead(
      ChannelHandlerContext ctx, int lastStreamId, long errorCode, ByteBuf debugData)
      throws Http2Exception {
    end.goAway(why(errorCode, debugData));
    super.onGoAwayRead(ctx, lastStreamId, errorCode, debugData);
  }

  /** The error, unless there is none, and what the server has to say besides. */
  private static String why(long errorCode, ByteBuf debugData) {
    Http2Error error = Http2Error.valueOf(errorCode);
    int length = Math.min(MAX_TEXT, debugData.readableBytes());
    String text = debugData.toString(debugData.readerIndex(), length, StandardCharsets.UTF_8);
    StringBuilder why = new StringBuilder();
    if (error != Http2Error.NO_ERROR) {
      why.append(": ").append(error == null ? "error " + errorCode : error.name());
    }
    if (!text.isEmpty()) {
      why.append(why.isEmpty() ? ": " : ", ").append(Quote.plain(text));
    }
    return why.toString();
  }
}
