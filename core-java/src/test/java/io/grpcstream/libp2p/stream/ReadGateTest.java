package io.grpcstream.libp2p.stream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class ReadGateTest {
  private final List<String> seen = new ArrayList<>();
  private final TestChannel channel = new TestChannel();

  @AfterEach
  void close() {
    channel.finishAndReleaseAll();
  }

  // Inbound.

  @Test
  void inboundBytesWaitUntilTheHandlerHasReturned() {
    ReadGate held = negotiated(ReadGate.inbound());
    channel.pipeline().addLast(new Recorder());
    arrive("leftover");
    assertThat(seen).isEmpty();
    int readsBefore = channel.reads;

    held.handled();

    assertThat(seen).containsExactly("leftover", "complete");
    assertThat(channel.reads).isGreaterThan(readsBefore);
    assertThat(channel.pipeline().get(ReadGate.class)).isNull();
  }

  @Test
  @DisplayName("A few held bytes do not keep the record alive they came in")
  void heldBytesDoNotKeepTheirRecord() {
    ReadGate held = negotiated(ReadGate.inbound());
    channel.pipeline().addLast(new Recorder());
    ByteBuf record = channel.alloc().buffer(65_536).writeZero(65_000);
    channel.writeInbound(record.readRetainedSlice(3));

    assertThat(record.release()).as("nobody else holds the record").isTrue();
    held.handled();
    assertThat(seen).containsExactly("\0\0\0", "complete");
  }

  @Test
  @DisplayName("Inbound: reads are not passed on until the handler has returned")
  void inboundReadsWaitForTheHandler() {
    negotiated(ReadGate.inbound());
    channel.reads = 0;
    channel.read();
    channel.writeInbound(bytes("more"));
    assertThat(channel.reads).isZero();
  }

  @Test
  @DisplayName("Inbound: with autoRead turned off, it waits for an explicit read")
  void inboundWaitsForAnExplicitRead() {
    ReadGate held = negotiated(ReadGate.inbound());
    channel.pipeline().addLast(new Recorder());
    arrive("a");
    arrive("b");
    channel.config().setAutoRead(false);
    held.handled();
    assertThat(seen).isEmpty();
    channel.reads = 0;

    channel.read();
    channel.runPendingTasks();

    assertThat(seen).containsExactly("a", "b", "complete");
    // The held bytes were what this read asked for.
    assertThat(channel.reads).isZero();
  }

  @Test
  @DisplayName("Inbound: with autoRead turned off, it is released by turning it on")
  void inboundReleasedByAutoRead() {
    ReadGate held = negotiated(ReadGate.inbound());
    arrive("a");
    channel.config().setAutoRead(false);
    held.handled();
    channel.pipeline().addLast(new Recorder());
    channel.reads = 0;

    channel.config().setAutoRead(true);
    channel.runPendingTasks();

    assertThat(seen).containsExactly("a", "complete");
    assertThat(channel.reads).isPositive();
  }

  @Test
  void inboundReadWithNothingHeldReachesTheChannel() {
    ReadGate held = negotiated(ReadGate.inbound());
    channel.config().setAutoRead(false);
    held.handled();
    channel.reads = 0;

    channel.read();
    channel.runPendingTasks();

    assertThat(channel.reads).isEqualTo(1);
  }

  @Test
  @DisplayName("Inbound: a read asked for within the handler is honoured once it returns")
  void inboundReadWithinTheHandler() {
    ReadGate held = negotiated(ReadGate.inbound());
    channel.pipeline().addLast(new Recorder());
    arrive("a");
    channel.config().setAutoRead(false);
    channel.read();
    assertThat(seen).isEmpty();

    held.handled();

    assertThat(seen).containsExactly("a", "complete");
  }

  @Test
  @DisplayName("Inbound: reads made by autoRead are forgotten once it is off")
  void inboundAutoReadsAreForgotten() {
    ReadGate held = negotiated(ReadGate.inbound());
    channel.pipeline().addLast(new Recorder());
    channel.read(); // As the head does with autoRead on.
    arrive("a");
    channel.config().setAutoRead(false);

    held.handled();
    channel.runPendingTasks();

    assertThat(seen).isEmpty();
  }

  @Test
  void inboundWritesOfTheHandlerReleaseNothing() {
    negotiated(ReadGate.inbound());
    channel.pipeline().addLast(new Recorder());
    arrive("a");
    channel.writeOutbound(bytes("early answer"));
    assertThat(seen).isEmpty();
    assertThat(text(channel.readOutbound())).isEqualTo("early answer");
  }

  // Outbound.

  @Test
  void outboundBytesWaitThroughAllAutomaticReads() {
    negotiated(ReadGate.outbound());
    channel.reads = 0;
    for (String part : List.of("a", "b", "c")) {
      channel.writeInbound(bytes(part)); // Ends in channelReadComplete, so the head reads.
    }
    channel.pipeline().addLast(new Recorder());
    channel.runPendingTasks();
    assertThat(seen).isEmpty();
    assertThat(channel.reads).isZero();
    assertThat(channel.pipeline().get(ReadGate.class)).isNotNull();
  }

  @Test
  @DisplayName("Outbound: it is released by the first write once all handlers are added")
  void outboundReleasedByTheFirstWrite() {
    negotiated(ReadGate.outbound());
    arrive("a");
    channel.pipeline().addLast(new GreetingWriter());
    assertThat(seen).isEmpty();
    channel.pipeline().addLast(new Recorder());
    channel.reads = 0;

    channel.runPendingTasks();

    assertThat(seen).containsExactly("a", "complete");
    assertThat(channel.reads).isPositive();
    channel.flush();
    assertThat(text(channel.readOutbound())).isEqualTo("greeting");
    assertThat(channel.pipeline().names()).hasSize(3); // The two handlers, and Netty's tail.
  }

  @Test
  @DisplayName("Outbound: it is released by an explicit read with autoRead on")
  void outboundReleasedByAnExplicitRead() {
    negotiated(ReadGate.outbound());
    channel.writeInbound(bytes("a"));
    channel.pipeline().addLast(new Recorder());

    channel.read();
    channel.runPendingTasks();

    assertThat(seen).containsExactly("a", "complete");
  }

  @Test
  @DisplayName("Outbound: an explicit read within the read of the negotiation releases")
  void outboundReadWithinTheNegotiations() {
    // The user's callback runs when the negotiation's last message is read: before the head reads.
    channel
        .pipeline()
        .addLast(
            new ChannelInboundHandlerAdapter() {
              @Override
              public void channelRead(ChannelHandlerContext ctx, Object message) {
                ctx.pipeline().addLast(ReadGate.outbound());
                ctx.pipeline().addLast(new Recorder());
                ctx.channel().read();
                ctx.pipeline().remove(this);
                ctx.fireChannelRead(message);
              }
            });

    channel.writeInbound(bytes("leftover"));

    assertThat(seen).containsExactly("leftover", "complete");
  }

  @Test
  @DisplayName("Outbound: a read that a handler kept back and asks for later releases")
  void outboundReadThatWasKeptBack() {
    negotiated(ReadGate.outbound());
    ReadKeeper keeper = new ReadKeeper();
    channel.pipeline().addLast(keeper, new Recorder());
    channel.writeInbound(bytes("a"));
    assertThat(keeper.context).isNotNull();
    channel.runPendingTasks();
    assertThat(seen).isEmpty();

    keeper.context.read();
    channel.runPendingTasks();

    assertThat(seen).containsExactly("a", "complete");
  }

  @Test
  void outboundWithAutoReadOffIsNotReleasedByAWrite() {
    negotiated(ReadGate.outbound());
    channel.pipeline().addLast(new Recorder());
    arrive("a");
    channel.config().setAutoRead(false);
    channel.writeOutbound(bytes("request"));
    assertThat(text(channel.readOutbound())).isEqualTo("request");
    assertThat(seen).isEmpty();

    channel.read();
    channel.runPendingTasks();

    assertThat(seen).containsExactly("a", "complete");
  }

  // Order, ends and failures.

  @Test
  @DisplayName("Bytes that arrive while held ones are delivered stay in order")
  void bytesDuringTheDelivery() {
    ReadGate held = negotiated(ReadGate.inbound());
    arrive("a");
    arrive("b");
    channel.pipeline().addLast(new Recorder());
    channel.onRead =
        () -> {
          // As a channel whose read delivers at once, asked from within channelRead.
          channel.onRead = () -> {};
          channel.pipeline().fireChannelRead(bytes("c"));
          channel.pipeline().fireChannelReadComplete();
        };
    channel
        .pipeline()
        .addBefore(
            channel.pipeline().context(Recorder.class).name(),
            "asks for more",
            new ChannelInboundHandlerAdapter() {
              @Override
              public void channelRead(ChannelHandlerContext ctx, Object message) {
                ctx.channel().read();
                ctx.fireChannelRead(message);
              }
            });

    held.handled();

    assertThat(seen).containsExactly("a", "b", "c", "complete");
  }

  @Test
  void theEndOfTheStreamDoesNotOvertakeHeldBytes() {
    ReadGate held = negotiated(ReadGate.inbound());
    arrive("a");
    channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
    channel.pipeline().fireExceptionCaught(new IOException("reset"));
    channel.pipeline().addLast(new Recorder());
    assertThat(seen).isEmpty();

    held.handled();

    assertThat(seen).containsExactly("a", "end of input", "reset", "complete");
  }

  @Test
  void handlersCanTalkByEventsWhileReadsAreHeld() {
    negotiated(ReadGate.inbound());
    arrive("a");
    List<Object> events = new ArrayList<>();
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
    assertThat(seen).isEmpty();
  }

  @Test
  @DisplayName("A channel that dies first delivers what is held before its end")
  void deadChannelDeliversBeforeItsEnd() {
    negotiated(ReadGate.outbound());
    arrive("a");
    channel.pipeline().addLast(new Recorder());

    channel.close();
    channel.runPendingTasks();

    assertThat(seen).containsExactly("a", "complete", "inactive");
  }

  @Test
  @DisplayName("A channel that dies without handlers releases what is held")
  void deadChannelWithoutHandlers() {
    negotiated(ReadGate.outbound());
    ByteBuf leftover = bytes("a");
    channel.pipeline().fireChannelRead(leftover);

    channel.finish();
    channel.releaseInbound();

    assertThat(leftover.refCnt()).isZero();
  }

  @Test
  @DisplayName("A channel that dies between release and delivery delivers once")
  void deadChannelDeliversOnce() {
    negotiated(ReadGate.outbound());
    arrive("a");
    channel.pipeline().addLast(new Recorder());
    channel.pipeline().write(bytes("request"));
    channel.pipeline().fireChannelInactive();
    channel.runPendingTasks();
    assertThat(seen).containsExactly("a", "complete", "inactive");
  }

  @Test
  void removingTheHandlerDeliversWhatIsHeld() {
    ReadGate held = negotiated(ReadGate.outbound());
    channel.pipeline().addLast(new Recorder());
    arrive("a");

    channel.pipeline().remove(held);

    assertThat(seen).contains("a");
    assertThat(channel.pipeline().names()).hasSize(2);
  }

  private ReadGate negotiated(ReadGate held) {
    channel.pipeline().addLast(held);
    return held;
  }

  private void arrive(String text) {
    channel.pipeline().fireChannelRead(bytes(text));
  }

  private static ByteBuf bytes(String text) {
    return Unpooled.copiedBuffer(text, UTF_8);
  }

  private static String text(ByteBuf buffer) {
    try {
      return buffer.toString(UTF_8);
    } finally {
      buffer.release();
    }
  }

  private static final class TestChannel extends EmbeddedChannel {
    int reads;
    Runnable onRead = () -> {};

    @Override
    protected void doBeginRead() throws Exception {
      reads++;
      if (onRead != null) {
        onRead.run();
      }
      super.doBeginRead();
    }
  }

  /** Writes as soon as it is added, as gRPC's HTTP/2 handler does. */
  private static final class GreetingWriter extends ChannelInboundHandlerAdapter {
    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
      ctx.write(bytes("greeting")); // A flush would make an EmbeddedChannel run its tasks.
    }
  }

  private static final class ReadKeeper extends ChannelOutboundHandlerAdapter {
    ChannelHandlerContext context;

    @Override
    public void read(ChannelHandlerContext ctx) {
      context = ctx;
    }
  }

  private final class Recorder extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      seen.add(text((ByteBuf) message));
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
      seen.add("complete");
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
      seen.add("end of input");
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      seen.add(cause.getMessage());
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
      seen.add("inactive");
    }
  }
}
