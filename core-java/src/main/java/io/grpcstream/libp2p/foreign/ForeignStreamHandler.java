package io.grpcstream.libp2p.foreign;

import io.grpcstream.libp2p.text.SystemErrorText;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;

/** The last handler of another stack's channel: what happens there happens to the stream above. */
final class ForeignStreamHandler extends ChannelInboundHandlerAdapter {
  /** jvm-libp2p's event for the end of the input. */
  private static final String END_OF_INPUT = "io.libp2p.etc.util.netty.mux.RemoteWriteClosed";

  private final ForeignStreamChannel stream;
  private final ForeignStreamInput input;

  ForeignStreamHandler(ForeignStreamChannel stream, ForeignStreamInput input) {
    this.stream = stream;
    this.input = input;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    stream.attached();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (message instanceof ByteBuf bytes) {
      input.receive(bytes);
    } else {
      ReferenceCountUtil.release(message);
      stream.fail(
          new IOException(
              stream.name() + " carries ByteBuf only, not " + message.getClass().getName()));
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    input.endBatch();
    ctx.fireChannelReadComplete();
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event == ChannelInputShutdownEvent.INSTANCE
        || event.getClass().getName().equals(END_OF_INPUT)) {
      stream.receiveEnd();
    }
    ctx.fireUserEventTriggered(event);
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    if (ctx.channel().isWritable()) {
      stream.writable();
    }
    ctx.fireChannelWritabilityChanged();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    String why = SystemErrorText.plain(String.valueOf(cause.getMessage()));
    stream.fail(new IOException(stream.name() + " failed: " + why, cause));
  }
}
