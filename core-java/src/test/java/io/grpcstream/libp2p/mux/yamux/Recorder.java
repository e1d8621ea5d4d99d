package io.grpcstream.libp2p.mux.yamux;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The last handler of a stream: keeps what it read, and the order of what happened. */
final class Recorder extends ChannelInboundHandlerAdapter {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  final List<String> events = new ArrayList<>();
  @Nullable Throwable exception;
  boolean inactive;

  byte[] bytes() {
    return bytes.toByteArray();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
    ByteBuf buffer = (ByteBuf) message;
    events.add("read " + buffer.readableBytes());
    buffer.readBytes(bytes, buffer.readableBytes());
    buffer.release();
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    events.add("complete");
    ctx.fireChannelReadComplete();
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    events.add(ctx.channel().isWritable() ? "writable" : "unwritable");
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    events.add(event.getClass().getSimpleName());
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    exception = cause;
    events.add(cause.getClass().getSimpleName());
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    inactive = true;
    events.add("inactive");
  }
}
