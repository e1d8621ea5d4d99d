package io.grpcstream.libp2p.protocol.ping;

import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.text.DurationText;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Echoes whole payloads until the initiator ends the stream. It reads no more while its echoes are
 * not taken, so it holds one read of bytes at most.
 */
final class PingResponder extends ChannelInboundHandlerAdapter {
  private static final Logger logger = LoggerFactory.getLogger(PingResponder.class);

  private final Stream stream;
  private final ByteBuf payload = Unpooled.buffer(PingProtocol.PAYLOAD_BYTES);
  private @Nullable Future<?> silence;

  PingResponder(Stream stream) {
    this.stream = stream;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    awaitPayload(ctx);
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    stopWaiting();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    ByteBuf in = (ByteBuf) message;
    try {
      while (in.isReadable()) {
        int missing = PingProtocol.PAYLOAD_BYTES - payload.readableBytes();
        payload.writeBytes(in, Math.min(missing, in.readableBytes()));
        if (payload.readableBytes() == PingProtocol.PAYLOAD_BYTES) {
          ctx.write(ctx.alloc().buffer(PingProtocol.PAYLOAD_BYTES).writeBytes(payload));
          payload.clear();
          awaitPayload(ctx);
        }
      }
    } finally {
      in.release();
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    ctx.flush();
    pauseUnlessWritable(ctx);
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    pauseUnlessWritable(ctx);
  }

  private static void pauseUnlessWritable(ChannelHandlerContext ctx) {
    ctx.channel().config().setAutoRead(ctx.channel().isWritable());
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event == ChannelInputShutdownEvent.INSTANCE) {
      stopWaiting();
      stream.close();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    stopWaiting();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    logger.debug("ping: {} failed", stream, cause);
    stream.reset();
  }

  /** Only whole payloads count as a sign of life. */
  private void awaitPayload(ChannelHandlerContext ctx) {
    stopWaiting();
    silence =
        ctx.executor()
            .schedule(
                () -> {
                  logger.debug(
                      "ping: {}: silent for {}", stream, DurationText.of(PingProtocol.MAX_SILENCE));
                  stream.reset();
                },
                PingProtocol.MAX_SILENCE.toMillis(),
                TimeUnit.MILLISECONDS);
  }

  private void stopWaiting() {
    if (silence != null) {
      silence.cancel(false);
    }
  }
}
