package io.libp2p.multistream;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.MessageToByteEncoder;
import io.netty.handler.codec.MessageToMessageCodec;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * The codecs below jvm-libp2p's negotiation: while they stand in a pipeline, whatever is written
 * goes out with its length before it.
 */
final class MessageCodec {
  private final FrameDecoder frames = new FrameDecoder();
  private final LengthPrepender lengths = new LengthPrepender();
  private final TextCodec texts = new TextCodec();

  void addTo(ChannelPipeline pipeline) {
    pipeline.addLast(frames, lengths, texts);
  }

  /** The decoder goes last: what it has read beyond its own messages is passed on as it goes. */
  void removeFrom(ChannelPipeline pipeline) {
    pipeline.remove(texts);
    pipeline.remove(lengths);
    pipeline.remove(frames);
  }

  private static final class FrameDecoder extends ByteToMessageDecoder {
    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
      in.markReaderIndex();
      int length = 0;
      for (int shift = 0; in.isReadable(); shift += 7) {
        byte next = in.readByte();
        length |= (next & 0x7f) << shift;
        if (next >= 0) {
          if (in.readableBytes() >= length) {
            out.add(in.readRetainedSlice(length));
            return;
          }
          break;
        }
      }
      in.resetReaderIndex();
    }
  }

  private static final class LengthPrepender extends MessageToByteEncoder<ByteBuf> {
    @Override
    protected void encode(ChannelHandlerContext ctx, ByteBuf message, ByteBuf out) {
      int length = message.readableBytes();
      while (length > 0x7f) {
        out.writeByte(length | 0x80);
        length >>>= 7;
      }
      out.writeByte(length);
      out.writeBytes(message);
    }
  }

  private static final class TextCodec extends MessageToMessageCodec<ByteBuf, String> {
    @Override
    protected void encode(ChannelHandlerContext ctx, String message, List<Object> out) {
      byte[] line = (message + "\n").getBytes(StandardCharsets.UTF_8);
      out.add(ctx.alloc().buffer(line.length).writeBytes(line));
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf message, List<Object> out) {
      String line = message.toString(StandardCharsets.UTF_8);
      if (!line.endsWith("\n")) {
        throw new IllegalArgumentException("not a line: " + line);
      }
      out.add(line.substring(0, line.length() - 1));
    }
  }
}
