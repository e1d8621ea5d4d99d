package io.grpcstream.libp2p.security.tls;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What may wait for a remote that makes this side answer and does not read. */
class OutboundLimitTest {
  private static final int ANSWER = 27;
  private static final int COUNTED = ANSWER + 96;
  private static final int LIMIT = (int) (OutboundLimit.MAX_BYTES / COUNTED);

  private final List<ByteBuf> answers = new ArrayList<>();
  private final List<Throwable> failures = new ArrayList<>();
  private final EmbeddedChannel channel = new EmbeddedChannel(new OutboundLimit(), new Answering());

  @Test
  void answersThatNobodyReadsEndTheConnection() {
    ask(LIMIT);
    assertThat(channel.isOpen()).isTrue();
    ByteBuf last = null;
    for (int i = 0; i < LIMIT && channel.isOpen(); i++) {
      last = Unpooled.buffer().writeByte(1);
      channel.pipeline().fireChannelRead(last);
    }
    assertThat(channel.isOpen()).isFalse();
    assertThat(failures).singleElement().isInstanceOf(TlsException.class);
    assertThat(failures.get(0))
        .hasMessage("more than 2,097,152 bytes that the remote does not read");
    assertThat(answers).hasSizeLessThan(LIMIT + 100_000 / COUNTED);
    assertThat(last.refCnt()).isZero();
    assertThat(answers).allMatch(answer -> answer.refCnt() == 0);
  }

  @Test
  void answersThatAreReadDoNot() {
    for (int i = 0; i < 4; i++) {
      ask(LIMIT);
      channel.flush();
      channel.releaseOutbound();
    }
    assertThat(channel.isOpen()).isTrue();
    assertThat(failures).isEmpty();
    assertThat(answers).hasSize(4 * LIMIT);
    channel.finishAndReleaseAll();
  }

  private void ask(int times) {
    for (int i = 0; i < times; i++) {
      channel.pipeline().fireChannelRead(Unpooled.buffer().writeByte(1));
    }
  }

  private final class Answering extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      ((ByteBuf) message).release();
      ByteBuf answer = Unpooled.buffer(ANSWER).writeZero(ANSWER);
      answers.add(answer);
      ctx.write(answer);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      failures.add(cause);
    }
  }
}
