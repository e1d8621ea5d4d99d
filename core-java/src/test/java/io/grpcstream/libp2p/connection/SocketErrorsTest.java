package io.grpcstream.libp2p.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SocketErrorsTest {
  private final UpgradeProgress progress = new UpgradeProgress();
  private final List<Object> events = new ArrayList<>();

  /** One whose socket fails to write with {@code unwritten}. */
  private EmbeddedChannel channel(IOException unwritten) {
    return new EmbeddedChannel(
        new SocketErrors(),
        progress,
        new ChannelInboundHandlerAdapter() {
          @Override
          public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            events.add(cause);
          }

          @Override
          public void channelInactive(ChannelHandlerContext ctx) {
            events.add("inactive");
          }
        }) {
      @Override
      protected void doWrite(ChannelOutboundBuffer in) throws IOException {
        throw unwritten;
      }
    };
  }

  private void fails(String text) {
    EmbeddedChannel channel = channel(new IOException("not written"));
    channel.pipeline().fireExceptionCaught(new IOException(text));
    channel.close();
    channel.finishAndReleaseAll();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "recvAddress(..) failed with error(-104): Connection reset by peer",
        "writevAddresses(..) failed with error(-32): Broken pipe",
        "Connection reset",
        "An existing connection was forcibly closed by the remote host"
      })
  void anEndByTheOtherSideIsSaidPlainlyAndCountsAsThat(String text) {
    fails(text);
    assertThat(progress.endedThere).isTrue();
    assertThat(progress.isNobodysFault()).as("it had said nothing").isTrue();
    assertThat(events).hasSize(2).last().isEqualTo("inactive");
    assertThat((Throwable) events.get(0))
        .isInstanceOfSatisfying(
            SocketFailure.class, failure -> assertThat(failure.isByOtherSide()).isTrue())
        .hasMessage(text.replaceFirst("^.*: ", ""));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "recvAddress(..) failed with error(-110): Connection timed out",
        "recvAddress(..) failed with error(-113): No route to host",
        "Network is unreachable",
        "Operation timed out",
        "An established connection was aborted by the software in your host machine"
      })
  void aFailureOfTheNetworkIsNotBlamedOnTheOtherSide(String text) {
    fails(text);
    assertThat(progress.endedThere).isFalse();
    assertThat(progress.isNobodysFault()).isTrue();
    assertThat((Throwable) events.get(0))
        .isInstanceOfSatisfying(
            SocketFailure.class, failure -> assertThat(failure.isByOtherSide()).isFalse())
        .hasMessage(text.replaceFirst("^.*: ", ""));
  }

  @Test
  @DisplayName("A write that fails is told before the end of the channel, and once")
  void failedWrite() {
    EmbeddedChannel channel = channel(new IOException("Connection timed out"));
    channel.write(Unpooled.copyInt(1));
    channel.writeAndFlush(Unpooled.copyInt(2));
    channel.runPendingTasks();
    assertThat(events).hasSize(2).last().isEqualTo("inactive");
    assertThat((Throwable) events.get(0)).hasMessage("Connection timed out");
    assertThat(progress.endedThere).isFalse();
    channel.finishAndReleaseAll();
  }

  @Test
  @DisplayName("A channel that just ends was ended by the other side")
  void plainEnd() {
    EmbeddedChannel channel = channel(new IOException("not written"));
    channel.close();
    assertThat(events).containsExactly("inactive");
    assertThat(progress.endedThere).isTrue();
    channel.finishAndReleaseAll();
  }
}
