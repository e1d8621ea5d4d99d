package io.grpcstream.libp2p.protocol.identify;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.YamuxPair;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class IdentifyProtocolTest {
  private static final Identify SELF =
      new Identify(
          "test/1",
          "agent/1",
          YamuxPair.ACCEPTOR_KEY,
          List.of(YamuxPair.ACCEPTOR_ADDRESS),
          null,
          List.of("/a/1", "/b/1"));

  private final EmbeddedChannel channel = new EmbeddedChannel();
  private final Stream stream =
      Stream.over(
          channel,
          YamuxPair.DIALLER,
          YamuxPair.ACCEPTOR,
          YamuxPair.ACCEPTOR_ADDRESS,
          IdentifyProtocol.ID,
          true);

  @AfterEach
  void close() {
    channel.finishAndReleaseAll();
  }

  @Test
  void aQueryTellsWhoThePeerIsAndWhereItSawUs() throws Exception {
    try (YamuxPair pair =
        new YamuxPair(IdentifyProtocol.ID, IdentifyProtocol.responder(() -> SELF))) {
      Stream opened = pair.open();
      Identify told =
          IdentifyProtocol.query(opened, address -> true).toCompletableFuture().get(10, SECONDS);
      assertThat(told.publicKey().marshal()).isEqualTo(SELF.publicKey().marshal());
      assertThat(told.observedAddress()).isEqualTo(YamuxPair.DIALLER_ADDRESS);
      assertThat(told)
          .usingRecursiveComparison()
          .ignoringFields("publicKey", "observedAddress")
          .isEqualTo(SELF);
      opened.closed().toCompletableFuture().get(10, SECONDS);
    }
  }

  @Test
  void aPushArrives() throws Exception {
    CompletableFuture<Identify> received = new CompletableFuture<>();
    try (YamuxPair pair =
        new YamuxPair(
            IdentifyProtocol.PUSH_ID,
            IdentifyProtocol.pushReceiver(
                address -> true, (from, identify) -> received.complete(identify)))) {
      Identify change =
          new Identify(
              null, null, null, List.of(Multiaddr.parse("/memory/7")), null, List.of("/c"));
      Stream opened = pair.open();
      IdentifyProtocol.push(opened, change).toCompletableFuture().get(10, SECONDS);
      assertThat(received.get(10, SECONDS)).isEqualTo(change);
      opened.closed().toCompletableFuture().get(10, SECONDS);
    }
  }

  @Test
  void aResponderIgnoresWhatTheInitiatorSends() throws Exception {
    try (YamuxPair pair =
        new YamuxPair(IdentifyProtocol.ID, IdentifyProtocol.responder(() -> SELF))) {
      Stream opened = pair.open();
      // Together on the event loop: the first write lets the stream read.
      CompletableFuture<Identify> answer = new CompletableFuture<>();
      opened
          .channel()
          .eventLoop()
          .execute(
              () -> {
                opened.channel().writeAndFlush(Unpooled.wrappedBuffer(new byte[100_000]));
                IdentifyProtocol.query(opened, address -> true)
                    .whenComplete(
                        (identify, failure) -> {
                          if (failure == null) {
                            answer.complete(identify);
                          } else {
                            answer.completeExceptionally(failure);
                          }
                        });
              });
      assertThat(answer.get(10, SECONDS).protocols()).isEqualTo(SELF.protocols());
    }
  }

  @Test
  void messagesInTheSmallestPiecesAreMerged() throws Exception {
    CompletableFuture<Identify> result = query();
    byte[] one =
        IdentifyCodec.encode(new Identify(null, "a", null, List.of(), null, List.of("/x")));
    byte[] two = IdentifyCodec.encode(new Identify("p", null, null, List.of(), null, List.of()));
    for (byte[] message : List.of(one, two)) {
      arrive((byte) message.length);
      for (byte b : message) {
        arrive(b);
      }
    }
    assertThat(result).isNotDone();
    channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
    assertThat(result.get())
        .isEqualTo(new Identify("p", "a", null, List.of(), null, List.of("/x")));
    assertThat(channel.isOpen()).isFalse();
  }

  @Test
  void aMessageOfTheLargestSizeIsTaken() throws Exception {
    CompletableFuture<Identify> result = query();
    byte[] padding = IdentifyCodecTest.field(8, new byte[IdentifyReader.MAX_MESSAGE_BYTES - 3]);
    assertThat(padding).hasSize(IdentifyReader.MAX_MESSAGE_BYTES);
    arrive((byte) 0x80, (byte) 0x40);
    arrive(padding);
    channel.close();
    assertThat(result.get().protocols()).isEmpty();
  }

  @Test
  void aLongerMessageIsRefusedByItsLengthAlone() {
    CompletableFuture<Identify> result = query();
    arrive((byte) 0x81, (byte) 0x40);
    assertFails(result, "8193", "limit 8192");
  }

  @Test
  void aHugeLengthIsRefused() {
    CompletableFuture<Identify> result = query();
    arrive((byte) 0xff, (byte) 0xff, (byte) 0xff);
    assertFails(result, "limit 8192");
  }

  @Test
  void moreMessagesThanTheLimitAreRefused() {
    CompletableFuture<Identify> result = query();
    arrive(new byte[IdentifyReader.MAX_MESSAGES]); // Empty messages.
    assertThat(result).isNotDone();
    arrive((byte) 0);
    assertFails(result, "limit of 10");
  }

  @Test
  void garbageIsRefused() {
    CompletableFuture<Identify> result = query();
    arrive((byte) 4, (byte) 0x1a, (byte) 0x7f, (byte) 0, (byte) 0);
    assertFails(result, "malformed");
  }

  @Test
  void anEndWithinAMessageIsAnError() {
    CompletableFuture<Identify> result = query();
    arrive((byte) 2, (byte) 0x1a);
    channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
    assertFails(result, "within message 1");
  }

  @Test
  void anEndWithoutAMessageIsAnError() {
    CompletableFuture<Identify> result = query();
    channel.close();
    assertFails(result, "without a message");
  }

  @Test
  void theKeyOfAnotherPeerIsAnError() {
    CompletableFuture<Identify> result = query();
    byte[] message =
        IdentifyCodec.encode(
            new Identify(null, null, YamuxPair.DIALLER_KEY, List.of(), null, List.of()));
    arrive((byte) message.length);
    arrive(message);
    assertFails(result, "public key of " + YamuxPair.DIALLER);
  }

  @Test
  void aSlowDripIsCutAtTheDeadline() {
    CompletableFuture<Identify> result = query();
    arrive((byte) 100);
    for (int i = 0; i < 49; i++) {
      channel.advanceTimeBy(100, MILLISECONDS);
      channel.runScheduledPendingTasks();
      arrive((byte) 0);
      assertThat(result).isNotDone();
    }
    channel.advanceTimeBy(200, MILLISECONDS);
    channel.runScheduledPendingTasks();
    assertFails(result, "not complete within 5 s");
  }

  @Test
  @DisplayName("A peer that does not take the answer is cut at the deadline")
  void peerThatDoesNotTakeTheAnswer() throws Exception {
    StuckChannel stuck = new StuckChannel();
    Stream inbound =
        Stream.over(
            stuck,
            YamuxPair.ACCEPTOR,
            YamuxPair.DIALLER,
            YamuxPair.DIALLER_ADDRESS,
            IdentifyProtocol.ID,
            false);
    IdentifyProtocol.responder(() -> SELF).onStream(inbound);
    assertThat(stuck.config().isAutoRead()).isFalse();
    stuck.runPendingTasks();
    assertThat(stuck.isOpen()).isTrue();
    stuck.advanceTimeBy(5, SECONDS);
    stuck.runScheduledPendingTasks();
    assertThat(stuck.isOpen()).isFalse();
    stuck.finishAndReleaseAll();
  }

  @Test
  void aPushThatIsNotTakenFailsAtTheDeadline() {
    StuckChannel stuck = new StuckChannel();
    Stream outbound =
        Stream.over(
            stuck,
            YamuxPair.DIALLER,
            YamuxPair.ACCEPTOR,
            YamuxPair.ACCEPTOR_ADDRESS,
            IdentifyProtocol.PUSH_ID,
            true);
    CompletableFuture<Void> result = IdentifyProtocol.push(outbound, SELF).toCompletableFuture();
    stuck.advanceTimeBy(5, SECONDS);
    stuck.runScheduledPendingTasks();
    assertThatThrownBy(result::get)
        .cause()
        .isInstanceOf(IdentifyException.class)
        .hasMessageContaining("not sent within 5 s");
    stuck.finishAndReleaseAll();
  }

  @Test
  void aMalformedPushDoesNotReachTheReceiver() throws Exception {
    CompletableFuture<Identify> received = new CompletableFuture<>();
    IdentifyProtocol.pushReceiver(address -> true, (from, identify) -> received.complete(identify))
        .onStream(stream);
    arrive((byte) 0xff, (byte) 0xff, (byte) 0xff);
    assertThat(channel.isOpen()).isFalse();
    assertThat(received).isNotDone();
  }

  @Test
  void aTooLargePushIsTheCallersMistake() {
    Identify huge = new Identify(null, "a".repeat(5_000), null, List.of(), null, List.of());
    assertThatThrownBy(() -> IdentifyProtocol.push(stream, huge).toCompletableFuture().get())
        .hasCauseInstanceOf(IllegalArgumentException.class);
    assertThat(channel.isOpen()).isFalse();
  }

  @Test
  void aStreamThatHasEndedFailsAtOnce() {
    channel.close();
    assertFails(query(), "has ended");
  }

  private CompletableFuture<Identify> query() {
    return IdentifyProtocol.query(stream, address -> true).toCompletableFuture();
  }

  private void arrive(byte... bytes) {
    channel.writeInbound(Unpooled.copiedBuffer(bytes));
  }

  private void assertFails(CompletableFuture<Identify> result, String... parts) {
    assertThat(result).isCompletedExceptionally();
    assertThatThrownBy(result::get)
        .isInstanceOf(ExecutionException.class)
        .cause()
        .isInstanceOf(IdentifyException.class)
        .hasMessageContaining(YamuxPair.ACCEPTOR.toString())
        .hasMessageContainingAll(parts);
    assertThat(channel.isOpen()).isFalse();
    // Nothing of it stays behind: what still comes is released.
    ByteBuf late = Unpooled.copiedBuffer(new byte[10]);
    channel.pipeline().fireChannelRead(late);
    channel.releaseInbound();
    assertThat(late.refCnt()).isZero();
  }

  /** Takes no byte. */
  private static final class StuckChannel extends EmbeddedChannel {
    @Override
    protected void doWrite(ChannelOutboundBuffer in) {}
  }
}
