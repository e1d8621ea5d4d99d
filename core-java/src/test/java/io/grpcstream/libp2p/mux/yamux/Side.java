package io.grpcstream.libp2p.mux.yamux;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.mux.MuxerListener;
import io.grpcstream.libp2p.mux.StreamChannel;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.ResourceLeakDetector;
import io.netty.util.concurrent.Future;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One end of a connection without a network or a clock: a session on an embedded channel whose
 * every allocation is counted. Inbound streams get a {@link Recorder} unless a test says otherwise.
 */
final class Side implements MuxerListener {
  static {
    ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
  }

  /** No pings that a test did not ask for. */
  static final YamuxConfig QUIET =
      YamuxConfig.defaults().toBuilder().keepAliveInterval(Duration.ZERO).build();

  final UnpooledByteBufAllocator alloc = new UnpooledByteBufAllocator(false);
  final YamuxSession session;
  final EmbeddedChannel connection;
  final List<YamuxStreamChannel> inbound = new ArrayList<>();
  final Map<YamuxStreamChannel, Recorder> recorders = new HashMap<>();
  final List<GoAwayCode> goAways = new ArrayList<>();
  Consumer<YamuxStreamChannel> onInbound = stream -> {};
  int closedCalls;
  @Nullable Throwable closedCause;
  int flushes;

  /** Tasks run at {@link #runTasks()} alone, as on a real loop, and not within every write. */
  boolean turnsByHand;

  private boolean turnEnds;
  private boolean congested;
  private final Queue<Runnable> heldWrites = new ArrayDeque<>();

  Side(boolean initiator) {
    this(initiator, QUIET);
  }

  Side(boolean initiator, YamuxConfig config) {
    session = new YamuxSession(initiator, config, this);
    connection =
        new EmbeddedChannel() {
          @Override
          public void runPendingTasks() {
            if (!turnsByHand || turnEnds) {
              turnEnds = false;
              super.runPendingTasks();
            }
          }
        };
    connection.config().setAllocator(alloc);
    connection.freezeTime();
    connection.pipeline().addLast(new Network(), session);
  }

  @Override
  public void onInboundStream(StreamChannel opened) {
    YamuxStreamChannel stream = (YamuxStreamChannel) opened;
    inbound.add(stream);
    Recorder recorder = new Recorder();
    recorders.put(stream, recorder);
    onInbound.accept(stream);
    stream.pipeline().addLast(recorder);
  }

  @Override
  public void onGoAway(String reason) {
    goAways.add(GoAwayCode.valueOf(reason));
  }

  @Override
  public void onClosed(@Nullable Throwable cause) {
    closedCalls++;
    closedCause = cause;
  }

  /** Opens a stream whose last handler is a {@link Recorder}. */
  YamuxStreamChannel open() {
    Future<YamuxStreamChannel> future = session.openStream();
    assertThat(future.isSuccess()).as("opened, or %s", future.cause()).isTrue();
    YamuxStreamChannel stream = future.getNow();
    Recorder recorder = new Recorder();
    stream.pipeline().addLast(recorder);
    recorders.put(stream, recorder);
    return stream;
  }

  Recorder recorder(YamuxStreamChannel stream) {
    return recorders.get(stream);
  }

  YamuxStreamChannel onlyInbound() {
    assertThat(inbound).hasSize(1);
    return inbound.get(0);
  }

  /** All frames arrive in one buffer, as they may from one record. */
  void feed(Frame... frames) {
    connection.writeInbound(bufferOf(frames));
  }

  ByteBuf bufferOf(Frame... frames) {
    ByteBuf all = alloc.buffer();
    for (Frame frame : frames) {
      all.writeBytes(frame.bytes());
    }
    return all;
  }

  void feed(byte[] bytes) {
    connection.writeInbound(alloc.buffer(Math.max(1, bytes.length)).writeBytes(bytes));
  }

  /**
   * Runs {@code actions} in one turn of the event loop; tasks run after them. Outside of this an
   * embedded channel runs tasks within every write.
   */
  void turn(Runnable actions) {
    connection.writeOneInbound(actions);
  }

  /** Ends the turn: tasks run. */
  void runTasks() {
    turnEnds = true;
    connection.runPendingTasks();
  }

  void advance(Duration time) {
    connection.advanceTimeBy(time.toNanos(), TimeUnit.NANOSECONDS);
    connection.runScheduledPendingTasks();
    runTasks();
  }

  /** Everything that has left since the last call. */
  List<Frame> sent() {
    runTasks();
    return Frame.parse(sentBytes());
  }

  List<String> sentText() {
    return sent().stream().map(Frame::toString).toList();
  }

  byte[] sentBytes() {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (ByteBuf part = connection.readOutbound(); part != null; part = connection.readOutbound()) {
      byte[] bytes = new byte[part.readableBytes()];
      part.readBytes(bytes).release();
      all.writeBytes(bytes);
    }
    return all.toByteArray();
  }

  /** The connection takes nothing, and says so, until {@link #relieve()}. */
  void congest() {
    congested = true;
    connection.unsafe().outboundBuffer().setUserDefinedWritability(5, false);
    runTasks();
  }

  void relieve() {
    congested = false;
    for (Runnable write = heldWrites.poll(); write != null; write = heldWrites.poll()) {
      write.run();
    }
    connection.flush();
    connection.unsafe().outboundBuffer().setUserDefinedWritability(5, true);
    runTasks();
  }

  /** Ends the connection and shows that every buffer of it was released. */
  void finish() {
    turnsByHand = false;
    congested = false;
    heldWrites.forEach(Runnable::run);
    connection.close();
    runTasks();
    connection.finishAndReleaseAll();
    runTasks();
    assertThat(closedCalls).as("onClosed calls").isEqualTo(1);
    assertThat(alloc.metric().usedHeapMemory() + alloc.metric().usedDirectMemory())
        .as("bytes that were not released")
        .isZero();
  }

  static ByteBuf buffer(int bytes) {
    return Unpooled.wrappedBuffer(Frame.pattern(bytes));
  }

  /** Runs turns, counts flushes, and holds writes while the connection is congested. */
  private final class Network extends ChannelDuplexHandler {
    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      if (message instanceof Runnable actions) {
        actions.run();
      } else {
        ctx.fireChannelRead(message);
      }
    }

    @Override
    public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
      if (congested) {
        heldWrites.add(() -> ctx.write(message, promise));
      } else {
        ctx.write(message, promise);
      }
    }

    @Override
    public void flush(ChannelHandlerContext ctx) {
      flushes++;
      ctx.flush();
    }
  }
}
