package io.grpcstream.libp2p.multistream;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.charset.StandardCharsets;

/** Wire forms, and a channel that counts the flushes and reads which reach its transport. */
final class MultistreamFixture {
  static final String HEADER = "/multistream/1.0.0";

  private MultistreamFixture() {}

  /** The messages as the wire carries them, one after the other. */
  static ByteBuf messages(String... texts) {
    ByteBuf out = Unpooled.buffer();
    for (String text : texts) {
      byte[] bytes = (text + "\n").getBytes(StandardCharsets.UTF_8);
      if (bytes.length < 128) {
        out.writeByte(bytes.length);
      } else {
        out.writeByte(bytes.length % 128 + 128).writeByte(bytes.length / 128);
      }
      out.writeBytes(bytes);
    }
    return out;
  }

  static ByteBuf bytes(String text) {
    return Unpooled.copiedBuffer(text, StandardCharsets.ISO_8859_1);
  }

  /** Asserts that the next outbound buffer, a single one, holds exactly these messages. */
  static void assertSent(EmbeddedChannel channel, String... texts) {
    ByteBuf expected = messages(texts);
    ByteBuf sent = channel.readOutbound();
    assertThat(sent == null ? "nothing" : ByteBufUtil.hexDump(sent))
        .isEqualTo(ByteBufUtil.hexDump(expected));
    expected.release();
    sent.release();
  }

  /** Takes all inbound buffers as text. */
  static String received(EmbeddedChannel channel) {
    StringBuilder text = new StringBuilder();
    for (ByteBuf in; (in = channel.readInbound()) != null; in.release()) {
      text.append(in.toString(StandardCharsets.ISO_8859_1));
    }
    return text.toString();
  }

  /** Stands first in a pipeline and counts. */
  static final class Counter extends ChannelOutboundHandlerAdapter {
    int flushes;
    int reads;

    @Override
    public void flush(ChannelHandlerContext ctx) {
      flushes++;
      ctx.flush();
    }

    @Override
    public void read(ChannelHandlerContext ctx) {
      reads++;
      ctx.read();
    }
  }
}
