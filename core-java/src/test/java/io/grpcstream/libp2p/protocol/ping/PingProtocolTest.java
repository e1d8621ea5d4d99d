package io.grpcstream.libp2p.protocol.ping;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.YamuxPair;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class PingProtocolTest {
  private final TestChannel channel = new TestChannel();
  private final Stream stream =
      Stream.over(
          channel,
          YamuxPair.DIALLER,
          YamuxPair.ACCEPTOR,
          YamuxPair.ACCEPTOR_ADDRESS,
          PingProtocol.ID,
          true);

  @AfterEach
  void close() {
    channel.finishAndReleaseAll();
  }

  @Test
  void pingsAreAnsweredOneAfterAnotherOnOneStream() throws Exception {
    try (YamuxPair pair = new YamuxPair(PingProtocol.ID, PingProtocol.responder())) {
      Stream opened = pair.open();
      for (int i = 0; i < 20; i++) {
        Duration roundTrip = PingProtocol.ping(opened).toCompletableFuture().get(10, SECONDS);
        assertThat(roundTrip).isPositive();
      }
      opened.close();
      opened.closed().toCompletableFuture().get(10, SECONDS);
    }
  }

  @Test
  void eachPingHasFreshBytes() throws Exception {
    CompletableFuture<Duration> first = ping();
    byte[] one = sent();
    channel.writeInbound(Unpooled.copiedBuffer(one));
    first.get();
    ping();
    assertThat(sent()).hasSize(PingProtocol.PAYLOAD_BYTES).isNotEqualTo(one);
  }

  @Test
  void anAnswerInPiecesIsAnAnswer() throws Exception {
    CompletableFuture<Duration> result = ping();
    for (byte b : sent()) {
      assertThat(result).isNotDone();
      channel.writeInbound(Unpooled.copiedBuffer(new byte[] {b}));
    }
    assertThat(result.get()).isPositive();
    assertThat(channel.isOpen()).isTrue();
  }

  @Test
  void otherBytesAreAnError() {
    CompletableFuture<Duration> result = ping();
    byte[] wrong = sent();
    wrong[31]++;
    channel.writeInbound(Unpooled.copiedBuffer(wrong));
    assertFails(result, "other bytes");
  }

  @Test
  void moreBytesThanWereSentAreAnError() {
    CompletableFuture<Duration> result = ping();
    channel.writeInbound(Unpooled.copiedBuffer(sent(), new byte[1]));
    assertFails(result, "answer no ping");
  }

  @Test
  void bytesThatNobodyAskedForEndTheStream() throws Exception {
    CompletableFuture<Duration> result = ping();
    channel.writeInbound(Unpooled.copiedBuffer(sent()));
    result.get();
    channel.writeInbound(Unpooled.copiedBuffer(new byte[1]));
    assertFails(ping(), "has ended");
  }

  @Test
  @DisplayName("No answer is an error at the deadline, however slowly it drips")
  void noAnswerIsAnError() {
    CompletableFuture<Duration> result = ping();
    byte[] echo = sent();
    for (int i = 0; i < 9; i++) {
      channel.advanceTimeBy(1, SECONDS);
      channel.runScheduledPendingTasks();
      channel.writeInbound(Unpooled.copiedBuffer(echo, i, 1));
    }
    assertThat(result).isNotDone();
    channel.advanceTimeBy(1, SECONDS);
    channel.runScheduledPendingTasks();
    assertFails(result, "no answer within 10 s, 9 of 32 bytes received");
  }

  @Test
  void anEndInsteadOfAnAnswerIsAnError() {
    CompletableFuture<Duration> result = ping();
    channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
    assertFails(result, "ended the stream");
  }

  @Test
  void aLostStreamIsAnError() {
    CompletableFuture<Duration> result = ping();
    channel.close();
    assertFails(result, "stream ended");
    assertFails(ping(), "has ended");
  }

  @Test
  void twoPingsAtATimeAreTheCallersMistake() throws Exception {
    CompletableFuture<Duration> first = ping();
    assertThatThrownBy(() -> ping().get()).hasCauseInstanceOf(IllegalStateException.class);
    channel.writeInbound(Unpooled.copiedBuffer(sent()));
    assertThat(first.get()).isPositive();
  }

  @Test
  void aResponderEchoesWholePayloadsOnly() throws Exception {
    PingProtocol.responder().onStream(stream);
    byte[] bytes = new byte[80];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) i;
    }
    channel.writeInbound(Unpooled.copiedBuffer(bytes, 0, 10));
    assertThat(channel.outboundMessages()).isEmpty();
    channel.writeInbound(Unpooled.copiedBuffer(bytes, 10, 70));
    assertThat(sent()).isEqualTo(Arrays.copyOf(bytes, 32));
    assertThat(sent()).isEqualTo(Arrays.copyOfRange(bytes, 32, 64));
    assertThat(channel.outboundMessages()).isEmpty();
  }

  @Test
  void aResponderClosesWhenTheInitiatorHasFinished() throws Exception {
    PingProtocol.responder().onStream(stream);
    channel.pipeline().fireChannelRead(Unpooled.copiedBuffer(new byte[40]));
    channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
    assertThat(sent()).hasSize(32);
    assertThat(channel.isOpen()).isFalse();
  }

  @Test
  @DisplayName("A responder resets an initiator that falls silent or drips")
  void silentInitiatorIsReset() throws Exception {
    PingProtocol.responder().onStream(stream);
    channel.advanceTimeBy(59, SECONDS);
    channel.writeInbound(Unpooled.copiedBuffer(new byte[32]));
    channel.advanceTimeBy(59, SECONDS);
    channel.writeInbound(Unpooled.copiedBuffer(new byte[31]));
    assertThat(channel.isOpen()).isTrue();
    channel.advanceTimeBy(1, SECONDS);
    channel.runScheduledPendingTasks();
    assertThat(channel.isOpen()).isFalse();
  }

  @Test
  @DisplayName("A responder stops reading while its echoes are not taken")
  void responderStopsReading() throws Exception {
    PingProtocol.responder().onStream(stream);
    channel.stuck = true;
    for (int i = 0; channel.config().isAutoRead(); i++) {
      assertThat(i).as("reads before it stops").isLessThan(100);
      channel.writeInbound(Unpooled.copiedBuffer(new byte[32 << 5]));
    }
    channel.stuck = false;
    channel.flush();
    assertThat(channel.config().isAutoRead()).isTrue();
  }

  @Test
  void nothingOfAFinishedStreamStaysScheduled() throws Exception {
    PingProtocol.responder().onStream(stream);
    CompletableFuture<Duration> result = ping();
    channel.writeInbound(Unpooled.copiedBuffer(sent()));
    assertThat(result).isNotDone(); // The responder came first in this pipeline and took it.
    channel.close();
    assertThat(channel.runScheduledPendingTasks()).isEqualTo(-1);
  }

  private CompletableFuture<Duration> ping() {
    return PingProtocol.ping(stream).toCompletableFuture();
  }

  private byte[] sent() {
    ByteBuf buffer = channel.readOutbound();
    try {
      return ByteBufUtil.getBytes(buffer);
    } finally {
      buffer.release();
    }
  }

  private void assertFails(CompletableFuture<Duration> result, String part) {
    assertThat(result).isCompletedExceptionally();
    assertThatThrownBy(result::get)
        .cause()
        .isInstanceOf(PingException.class)
        .hasMessageContaining(YamuxPair.ACCEPTOR.toString())
        .hasMessageContaining(part);
    assertThat(channel.isOpen()).isFalse();
  }

  private static final class TestChannel extends EmbeddedChannel {
    boolean stuck;

    @Override
    protected void doWrite(ChannelOutboundBuffer in) throws Exception {
      if (!stuck) {
        super.doWrite(in);
      }
    }
  }
}
