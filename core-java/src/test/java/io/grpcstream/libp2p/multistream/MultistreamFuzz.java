package io.grpcstream.libp2p.multistream;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.grpcstream.testing.CountedChannel;
import io.netty.buffer.ByteBufUtil;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever a peer says in a negotiation, in either role and whatever pieces: it ends. */
class MultistreamFuzz {
  static Stream<byte[]> seeds() {
    return Stream.of(
            MultistreamFixture.messages(MultistreamFixture.HEADER, "/a/1"),
            MultistreamFixture.messages(MultistreamFixture.HEADER, "na", "/b/1"),
            MultistreamFixture.messages(MultistreamFixture.HEADER, "/c/1", "ls", "/b/1", "more"))
        .map(
            messages -> {
              byte[] input = new byte[messages.readableBytes() + 1];
              input[0] = 64;
              messages.readBytes(input, 1, messages.readableBytes()).release();
              return input;
            });
  }

  @MethodSource("seeds")
  @FuzzTest(maxExecutions = 20_000)
  void theNegotiationEnds(byte[] input) {
    negotiate(new MultistreamInitiator(List.of("/a/1", "/b/1")), input);
    negotiate(new MultistreamResponder(List.of("/a/1", "/b/1")), input);
  }

  private static void negotiate(MultistreamSelector selector, byte[] input) {
    CountedChannel channel = new CountedChannel();
    channel.pipeline().addLast(selector);
    channel.arrive(input);
    long answered =
        channel.outboundMessages().stream()
            .mapToLong(answer -> ByteBufUtil.getBytes((io.netty.buffer.ByteBuf) answer).length)
            .sum();
    assertThat(answered).as("bytes of answers").isLessThan(1_024);
    channel.close();
    channel.runPendingTasks();
    assertThat(selector.agreed().isDone()).isTrue();
    if (selector.agreed().isSuccess()) {
      assertThat(selector.agreed().getNow()).isIn("/a/1", "/b/1");
    } else {
      assertThat(selector.agreed().cause()).isInstanceOf(MultistreamException.class);
    }
    channel.end();
  }
}
