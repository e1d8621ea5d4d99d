package io.grpcstream.libp2p.mux;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * What every {@link AbstractStreamChannel} does, whatever carries it. Without a network or a clock.
 */
public abstract class StreamChannelContract {
  /** What the other side has seen of this side's end. */
  protected enum Seen {
    OPEN,
    END,
    RESET
  }

  private AbstractStreamChannel stream;
  private final List<String> events = new ArrayList<>();

  /** A stream whose other side is played by the test; it has autoRead on. */
  protected abstract AbstractStreamChannel open();

  /** Ends the other side's direction. */
  protected abstract void peerEnds();

  /** Ends both directions from the other side. */
  protected abstract void peerResets();

  /** From now on nothing can be sent. */
  protected abstract void stall();

  /** All that waits can be sent. */
  protected abstract void relieve();

  /** Bytes that the other side has got. */
  protected abstract int received();

  protected abstract Seen seen();

  /** Runs what the event loop has to do. */
  protected abstract void runTasks();

  protected abstract void finish();

  @BeforeEach
  void openStream() {
    stream = open();
    stream.pipeline().addFirst(new Listener());
    runTasks();
  }

  @AfterEach
  void finishStream() {
    finish();
  }

  private static ByteBuf bytes(int count) {
    return Unpooled.buffer(count).writeZero(count);
  }

  @Test
  @DisplayName("What is pending when the other side ends is sent before the channel closes")
  void pendingAtPeersEnd() {
    stall();
    ChannelFuture write = stream.writeAndFlush(bytes(1000));
    peerEnds();
    assertThat(stream.isOpen()).isTrue();
    assertThat(seen()).isEqualTo(Seen.OPEN);
    relieve();
    assertThat(write.isSuccess()).isTrue();
    assertThat(received()).isEqualTo(1000);
    assertThat(stream.isOpen()).isFalse();
    assertThat(seen()).isEqualTo(Seen.END);
  }

  @Test
  @DisplayName("A close that leaves unflushed writes behind is a reset, not an end")
  void unflushedAtClose() {
    ChannelFuture write = stream.write(bytes(10));
    stream.close();
    runTasks();
    assertThat(write.cause()).isInstanceOf(ClosedChannelException.class);
    assertThat(seen()).isEqualTo(Seen.RESET);
  }

  @Test
  @DisplayName("A close when the first of several flushed writes completes fails none of them")
  void closeOnCompletion() {
    ChannelFuture first = stream.write(bytes(10));
    ChannelFuture second = stream.write(bytes(10));
    ChannelFuture large = stream.write(bytes(100_000));
    first.addListener(written -> stream.close());
    stream.flush();
    runTasks();
    assertThat(second.isSuccess()).isTrue();
    assertThat(large.isSuccess()).isTrue();
    assertThat(received()).isEqualTo(100_020);
    assertThat(seen()).isEqualTo(Seen.END);
  }

  @Test
  @DisplayName("A close by a listener of what a close hands over loses nothing")
  void closeWithinClose() {
    ChannelFuture first = stream.write(bytes(100));
    ChannelFuture second = stream.write(bytes(150_000));
    List<ChannelFuture> inner = new ArrayList<>();
    first.addListener(written -> inner.add(stream.close()));
    stream.unsafe().outboundBuffer().addFlush(); // As by a flush whose turn has not come.
    ChannelFuture outer = stream.close();
    runTasks();
    assertThat(second.isSuccess()).isTrue();
    assertThat(received()).isEqualTo(150_100);
    assertThat(seen()).isEqualTo(Seen.END);
    assertThat(outer.isSuccess()).isTrue();
    assertThat(inner).singleElement().matches(ChannelFuture::isSuccess);
  }

  @Test
  @DisplayName("What is written on hearing of a reset is not sent")
  void writesAfterReset() {
    stream.pipeline().addLast(new WritingOnFailure());
    peerResets();
    runTasks();
    assertThat(received()).isZero();
    assertThat(stream.isOpen()).isFalse();
  }

  /** Writes more than streams keep for the end of a turn. */
  private static final class WritingOnFailure extends ChannelInboundHandlerAdapter {
    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      ctx.writeAndFlush(bytes(8_000));
    }
  }

  @Test
  @DisplayName("After shutdownOutput the channel is unwritable and refuses writes")
  void writabilityAfterShutdown() {
    stream.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
    stream.shutdownOutput();
    assertThat(stream.isWritable()).isFalse();
    assertThat(stream.write(bytes(1)).cause()).hasMessageContaining("output was shut down");
    runTasks();
    assertThat(seen()).isEqualTo(Seen.END);
  }

  @Test
  @DisplayName("A stream that is not read closes when both sides have ended: the other one last")
  void unreadPeerLast() {
    stream.config().setAutoRead(false);
    stream.shutdown();
    runTasks();
    assertThat(stream.isOpen()).isTrue();
    peerEnds();
    assertThat(stream.isOpen()).isFalse();
    assertThat(seen()).isEqualTo(Seen.END);
  }

  @Test
  @DisplayName("A stream that is not read closes when both sides have ended: this one last")
  void unreadThisLast() {
    stream.config().setAutoRead(false);
    runTasks();
    peerEnds();
    assertThat(stream.isOpen()).isTrue();
    stream.shutdown();
    runTasks();
    assertThat(stream.isOpen()).isFalse();
    assertThat(seen()).isEqualTo(Seen.END);
  }

  @Test
  @DisplayName("Both halves end by themselves, and then the channel closes without a failure")
  void halfClosure() {
    stream.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
    peerEnds();
    assertThat(events).containsExactly("end of input");
    assertThat(stream.isInputShutdown()).isTrue();
    assertThat(stream.isOutputShutdown()).isFalse();
    assertThat(stream.shutdownOutput().isSuccess()).isTrue();
    runTasks();
    assertThat(events).containsExactly("end of input", "inactive");
  }

  @Test
  @DisplayName("Pending writes fail with the cause of the end, then the pipeline gets to see it")
  void orderOfFailures() {
    stall();
    ChannelFuture write = stream.writeAndFlush(bytes(1000));
    write.addListener(failed -> events.add("write failed"));
    peerResets();
    assertThat(events).hasSize(3);
    assertThat(events.get(0)).isEqualTo("write failed");
    assertThat(write.cause()).hasMessage(events.get(1));
    assertThat(events.get(2)).isEqualTo("inactive");
  }

  @Test
  @DisplayName("A reset after both sides have ended, the end unread, closes without a failure")
  void resetAfterBothEnds() {
    stream.config().setAutoRead(false);
    runTasks();
    stream.shutdownOutput();
    peerEnds();
    assertThat(stream.isOpen()).isTrue();
    stream.reset();
    runTasks();
    assertThat(stream.isOpen()).isFalse();
    assertThat(events).containsExactly("inactive");
  }

  @Test
  @DisplayName("The options that gRPC sets are known, and the allocator is the connection's")
  void configuration() {
    assertThat(stream.config().setOption(ChannelOption.SO_KEEPALIVE, true)).isTrue();
    assertThat(stream.config().setOption(ChannelOption.TCP_NODELAY, true)).isTrue();
    assertThat(stream.config().isAllowHalfClosure()).isFalse();
    assertThat(stream.alloc()).isSameAs(stream.parent().alloc());
  }

  private final class Listener extends ChannelInboundHandlerAdapter {
    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
      if (event == ChannelInputShutdownEvent.INSTANCE) {
        events.add("end of input");
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      events.add(cause.getMessage());
      ctx.fireExceptionCaught(cause);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
      events.add("inactive");
    }
  }
}
