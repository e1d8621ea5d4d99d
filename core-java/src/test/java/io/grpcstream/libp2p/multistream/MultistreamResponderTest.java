package io.grpcstream.libp2p.multistream;

import static io.grpcstream.libp2p.multistream.MultistreamFixture.HEADER;
import static io.grpcstream.libp2p.multistream.MultistreamFixture.assertSent;
import static io.grpcstream.libp2p.multistream.MultistreamFixture.bytes;
import static io.grpcstream.libp2p.multistream.MultistreamFixture.messages;
import static io.grpcstream.libp2p.multistream.MultistreamFixture.received;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.multistream.MultistreamFixture.Counter;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MultistreamResponderTest {
  private final Counter counter = new Counter();
  private final MultistreamResponder responder = new MultistreamResponder(List.of("/a", "/b"));
  private final EmbeddedChannel channel = new EmbeddedChannel(counter, responder);

  @Test
  @DisplayName(
      "A header and a proposal that arrive together are answered in one write and one flush")
  void headerAndProposalTogether() {
    channel.writeInbound(messages(HEADER, "/b"));

    assertSent(channel, HEADER, "/b");
    assertThat(counter.flushes).isEqualTo(1);
    assertThat(responder.agreed().getNow()).isEqualTo("/b");
    assertThat(channel.pipeline().get(MultistreamResponder.class)).isNull();
    assertThat(channel.finish()).isFalse();
  }

  @Test
  void anEarlyHeaderIsAnsweredAtOnce() {
    channel.writeInbound(messages(HEADER));
    assertSent(channel, HEADER);
    channel.writeInbound(messages("/a"));
    assertSent(channel, "/a");
    channel.finishAndReleaseAll();
  }

  @Test
  void unknownProtocolsAndListingAreNotAvailable() {
    channel.writeInbound(messages(HEADER, "/x", "ls", "/a"));

    assertSent(channel, HEADER, "na", "na", "/a");
    assertThat(responder.agreed().getNow()).isEqualTo("/a");
    channel.finishAndReleaseAll();
  }

  @Test
  @DisplayName("Handlers that are added on agreement can talk by events at once")
  void handlersAddedOnAgreement() {
    List<Object> events = new ArrayList<>();
    responder
        .agreed()
        .addListener(
            f -> {
              channel
                  .pipeline()
                  .addLast(
                      new ChannelInboundHandlerAdapter() {
                        @Override
                        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
                          events.add(event);
                        }
                      });
              channel.pipeline().fireUserEventTriggered("negotiate");
              assertThat(events).containsExactly("negotiate");
            });

    channel.writeInbound(messages(HEADER, "/a"));

    assertThat(events).containsExactly("negotiate");
    channel.finishAndReleaseAll();
  }

  @Test
  @DisplayName("A lazily opened stream keeps its first application bytes")
  void lazilyOpenedStreamKeepsItsBytes() {
    List<Object> order = new ArrayList<>();
    responder
        .agreed()
        .addListener(
            f -> {
              order.add("agreed " + f.getNow());
              channel
                  .pipeline()
                  .addLast(
                      new ChannelInboundHandlerAdapter() {
                        @Override
                        public void channelRead(ChannelHandlerContext ctx, Object message) {
                          order.add(message);
                          ctx.fireChannelRead(message);
                        }
                      });
            });
    ByteBuf frame =
        messages(HEADER, "/a").writeBytes("PRI * HTTP/2.0".getBytes(StandardCharsets.UTF_8));

    channel.writeInbound(frame);

    assertThat(order).containsExactly("agreed /a", frame);
    assertThat(received(channel)).isEqualTo("PRI * HTTP/2.0");
    channel.finishAndReleaseAll();
  }

  @Test
  void answerGoesOutBeforeWhatTheListenersWrite() {
    responder
        .agreed()
        .addListener(
            f ->
                channel.writeAndFlush(
                    Unpooled.copiedBuffer("SETTINGS".getBytes(StandardCharsets.UTF_8))));

    channel.writeInbound(messages(HEADER, "/a"));

    assertSent(channel, HEADER, "/a");
    ByteBuf next = channel.readOutbound();
    assertThat(next.toString(StandardCharsets.UTF_8)).isEqualTo("SETTINGS");
    next.release();
    channel.finishAndReleaseAll();
  }

  @Test
  void readsForItselfOnlyWhileItNeedsBytes() {
    Counter reads = new Counter();
    MultistreamResponder slow = new MultistreamResponder(List.of("/a"));
    EmbeddedChannel paused = new EmbeddedChannel(false);
    paused.config().setAutoRead(false);
    paused.pipeline().addLast(reads, slow);
    paused.pipeline().fireChannelActive();
    assertThat(reads.reads).isEqualTo(1);

    paused.writeInbound(messages(HEADER));
    assertThat(reads.reads).isEqualTo(2);
    paused.writeInbound(messages("/a").writeBytes("rest".getBytes(StandardCharsets.UTF_8)));

    assertThat(reads.reads).isEqualTo(2);
    assertThat(received(paused)).isEqualTo("rest");
    paused.finishAndReleaseAll();
  }

  @Test
  @DisplayName("Bytes and an end that arrive before the listeners ran stay in order")
  void bytesAndEndBeforeTheListeners() {
    List<String> seen = new ArrayList<>();
    responder
        .agreed()
        .addListener(
            f -> {
              channel.writeInbound(bytes("second"));
              channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
              channel
                  .pipeline()
                  .addLast(
                      new ChannelInboundHandlerAdapter() {
                        @Override
                        public void channelRead(ChannelHandlerContext ctx, Object message) {
                          ByteBuf buffer = (ByteBuf) message;
                          seen.add(buffer.toString(StandardCharsets.UTF_8));
                          buffer.release();
                        }

                        @Override
                        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
                          seen.add("end");
                        }
                      });
            });

    channel.writeInbound(
        messages(HEADER, "/a").writeBytes("first".getBytes(StandardCharsets.UTF_8)));

    assertThat(seen).containsExactly("first", "second", "end");
    channel.finishAndReleaseAll();
  }

  @ParameterizedTest(name = "{0} is refused: {1}")
  @CsvSource({
    "00, zero length",
    "8108, limit is 1,024", // 1,025
    "ff7f, limit is 1,024", // 16,383
    "ffff01, more than 2 bytes",
    "8000, not minimally encoded",
    "0568656c6c6f, does not end in a newline",
    "47455420, 'got nothing'",
    "02ff0a, not UTF-8",
    "03616263, 'newline: \"abc\"'",
    "060a2f6d73670a, 'expected /multistream/1.0.0, got \"\\n/msg\"'",
  })
  void malformedInput(String hex, String reason) {
    byte[] wire = ByteBufUtil.decodeHexDump(hex);
    channel.writeInbound(Unpooled.wrappedBuffer(wire));
    if (reason.equals("got nothing")) {
      // "GET " is a length of 71 and the start of a message that never comes.
      channel.advanceTimeBy(10, TimeUnit.SECONDS);
      channel.runScheduledPendingTasks();
      assertThat(responder.agreed().cause()).hasMessageContaining("3 of 71 bytes of a message");
    } else {
      assertThat(responder.agreed().cause())
          .isInstanceOf(MultistreamException.class)
          .hasMessageContaining(reason);
    }
    channel.writeInbound(bytes("anything after the failure"));
    assertThat(received(channel)).isEmpty();
    channel.finishAndReleaseAll();
  }

  @Test
  void endlessProposalsEndAtTheLimit() {
    String[] proposals = Collections.nCopies(40, "/x").toArray(String[]::new);
    channel.writeInbound(messages(HEADER));
    channel.writeInbound(messages(proposals));

    assertThat(responder.agreed().cause())
        .isInstanceOf(MultistreamException.class)
        .hasMessageContaining("proposed 16 protocols")
        .hasMessageContaining("\"/x\"");
    assertThat(channel.finish()).isTrue();
    channel.releaseOutbound();
  }

  @Test
  void longGarbageIsCutInTheError() {
    channel.writeInbound(messages("x".repeat(1000)));
    assertThat(responder.agreed().cause()).hasMessageContaining("x\"… (1,000 characters)");
    assertThat(responder.agreed().cause().getMessage()).hasSizeLessThan(300);
    channel.finishAndReleaseAll();
  }

  @Test
  void theRemoteLeavingFailsTheNegotiation() {
    channel.writeInbound(messages(HEADER));
    channel.close();

    assertThat(responder.agreed().cause())
        .isInstanceOf(MultistreamException.class)
        .hasMessageContaining("closed");
    channel.finishAndReleaseAll();
  }

  @Test
  void endOfInputFailsTheNegotiation() {
    channel.writeInbound(bytes("\u0014/multi"));
    channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);

    assertThat(responder.agreed().cause())
        .hasMessageContaining("the remote ended its side, 6 of 20 bytes of a message received");
    channel.finishAndReleaseAll();
  }

  @Test
  void removalAndChannelErrorsFailTheNegotiation() {
    channel.pipeline().remove(responder);
    assertThat(responder.agreed().cause()).hasMessageContaining("removed");

    MultistreamResponder other = new MultistreamResponder(List.of("/a"));
    channel.pipeline().addLast(other);
    channel.pipeline().fireExceptionCaught(new IOException("connection reset"));
    assertThat(other.agreed().cause()).hasMessageContaining("connection reset");
    channel.finishAndReleaseAll();
  }

  @Test
  void aPredicateThatThrowsFailsTheNegotiation() {
    MultistreamResponder broken =
        new MultistreamResponder(
            protocol -> {
              throw new IllegalStateException("registry is closed");
            },
            MultistreamSelector.DEFAULT_TIMEOUT);
    EmbeddedChannel other = new EmbeddedChannel(broken);
    ByteBuf in = messages(HEADER, "/a");
    other.writeInbound(in);

    assertThat(broken.agreed().cause()).hasMessageContaining("registry is closed");
    assertThat(in.refCnt()).isZero();
    other.finishAndReleaseAll();
    channel.finishAndReleaseAll();
  }
}
