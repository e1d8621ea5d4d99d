package io.grpcstream.libp2p.multistream;

import io.grpcstream.libp2p.handover.Leftovers;
import io.grpcstream.libp2p.text.DurationText;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.ChannelInputShutdownReadComplete;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.DefaultPromise;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Future;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What both roles of a negotiation share. Add the handler to the pipeline of a raw connection, a
 * secured one or a stream; it begins when the channel is active and {@link #agreed()} tells how it
 * ended.
 *
 * <p>On agreement the listeners of the future run first, on the event loop, and may add the next
 * handlers and write. Then this handler leaves the pipeline and passes on the bytes that came after
 * the last message, uncopied, in order, and, where the event loop allows, in the same turn: a
 * remote may send them together with its proposal. A handler behind this one that is not ready for
 * them must hold them.
 *
 * <p>While it needs bytes, and only then, the handler reads for itself, so auto-read may be off.
 *
 * <p>On failure the future fails with a {@link MultistreamException}, later input is dropped, and
 * the channel is left to the future's owner to close. Instances are for one channel.
 */
public abstract class MultistreamSelector extends ChannelInboundHandlerAdapter {
  /** The protocol id of multistream-select itself, the first message of each side. */
  public static final String HEADER = "/multistream/1.0.0";

  /** The deadline that other implementations set for a negotiation. */
  public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(10);

  static final String NOT_AVAILABLE = "na";

  private static final byte[] HEADER_MESSAGE = headerMessage();

  /** A length and {@code /multistream/}: what any version of it begins with. */
  private static final int HEADER_START_BYTES = 14;

  private final Duration timeout;
  private final MessageReader reader = new MessageReader();
  private final Agreed agreed = new Agreed();

  /** Buffers and events that arrived after agreement and before the listeners have run. */
  private final Leftovers held = new Leftovers();

  private @Nullable ChannelHandlerContext context;
  private @Nullable Future<?> deadline;
  private @Nullable ByteBuf answers;

  /** The first bytes received, up to as many as the header's message has. */
  private byte[] beginning = {};

  private boolean headerSeen;
  private boolean decided;
  private boolean reading;

  private static byte[] headerMessage() {
    ByteBuf message = Unpooled.buffer();
    MultistreamMessage.write(message, HEADER);
    return ByteBufUtil.getBytes(message);
  }

  MultistreamSelector(Duration timeout) {
    if (timeout.isNegative() || timeout.isZero()) {
      throw new IllegalArgumentException(
          "the multistream timeout must be positive: " + DurationText.of(timeout));
    }
    this.timeout = timeout;
    agreed.setUncancellable();
  }

  /**
   * Completes on the event loop with the agreed protocol, or fails with a {@link
   * MultistreamException}.
   */
  public final Future<String> agreed() {
    return agreed;
  }

  /** Begins the negotiation: what to send without being asked. */
  abstract void begin();

  /**
   * Takes a message that followed the remote's header.
   *
   * @return the agreed protocol, or null if the negotiation goes on
   */
  abstract @Nullable String receive(String message) throws MultistreamException;

  /** What is being negotiated, for error texts. */
  abstract String subject();

  /** Queues a message; all that is queued in one turn goes out in one write. */
  final void send(String message) {
    if (answers == null) {
      answers = context().alloc().buffer(64);
    }
    MultistreamMessage.write(answers, message);
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    context = ctx;
    if (ctx.channel().isActive()) {
      start(ctx);
    }
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    start(ctx);
    ctx.fireChannelActive();
  }

  private void start(ChannelHandlerContext ctx) {
    if (deadline != null || agreed.isDone()) {
      return;
    }
    deadline = ctx.executor().schedule(this::expire, timeout.toNanos(), TimeUnit.NANOSECONDS);
    begin();
    flushAnswers(ctx);
    readMore(ctx);
  }

  private void expire() {
    fail("no agreement within %s, %s".formatted(DurationText.of(timeout), progress()));
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (agreed.cause() != null || !(message instanceof ByteBuf bytes)) {
      ReferenceCountUtil.release(message);
    } else if (decided) {
      held.add(message);
    } else {
      reading = true;
      try {
        negotiate(ctx, bytes);
      } finally {
        reading = false;
      }
    }
  }

  private void negotiate(ChannelHandlerContext ctx, ByteBuf in) {
    String protocol = null;
    Exception failure = null;
    keepBeginning(in);
    try {
      for (String text; protocol == null && (text = reader.read(in)) != null; ) {
        if (headerSeen) {
          protocol = receive(text);
        } else if (text.equals(HEADER)) {
          headerSeen = true;
          headerReceived();
        } else {
          throw new MultistreamException(
              "expected %s, got %s".formatted(HEADER, MultistreamMessage.quote(text)));
        }
      }
      if (!headerSeen && isStranger()) {
        // It may be waiting for us, and would be waited for until the deadline.
        throw new MultistreamException(progress());
      }
    } catch (MultistreamException | RuntimeException e) {
      failure = e;
    }
    // Set before the flush: what a remote on the same event loop answers may arrive within it.
    decided = protocol != null || failure != null;
    if (protocol != null && in.isReadable()) {
      held.add(in);
    } else {
      in.release();
    }
    flushAnswers(ctx);
    if (failure instanceof NoCommonProtocolException) {
      fail((NoCommonProtocolException) failure);
    } else if (failure != null) {
      fail(String.valueOf(failure.getMessage()), failure);
    } else if (protocol != null && agreed.trySuccess(protocol)) {
      cancelDeadline();
      held.handOver(agreed, ctx, () -> reading);
    }
  }

  private void keepBeginning(ByteBuf in) {
    int more = Math.min(in.readableBytes(), HEADER_MESSAGE.length - beginning.length);
    if (more > 0) {
      int kept = beginning.length;
      beginning = Arrays.copyOf(beginning, kept + more);
      in.getBytes(in.readerIndex(), beginning, kept, more);
    }
  }

  /** Reacts to the remote's header. */
  void headerReceived() {}

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    ctx.fireChannelReadComplete();
    readMore(ctx);
  }

  private void readMore(ChannelHandlerContext ctx) {
    if (!agreed.isDone() && !ctx.channel().config().isAutoRead()) {
      ctx.read();
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    boolean endOfInput =
        event instanceof ChannelInputShutdownEvent
            || event instanceof ChannelInputShutdownReadComplete;
    if (endOfInput && decided && agreed.cause() == null) {
      held.add(event);
      return;
    }
    // All others pass: the next handlers may stand already, and talk by events from the head on.
    if (event instanceof ChannelInputShutdownEvent) {
      fail("the remote ended its side, " + progress());
    }
    ctx.fireUserEventTriggered(event);
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    fail("the channel closed, " + progress());
    ctx.fireChannelInactive();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (agreed.isDone()) {
      ctx.fireExceptionCaught(cause);
    } else {
      fail("the channel failed: " + cause.getMessage(), cause);
    }
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    fail("the handler was removed before agreement");
    held.release();
    if (answers != null) {
      answers.release();
      answers = null;
    }
  }

  /** How far it has come, for an error text. On the event loop. */
  public final String progress() {
    return reader.unfinished() + " received" + (headerSeen ? " since the last message" : "");
  }

  private void fail(String what) {
    fail(what, null);
  }

  private void fail(String what, @Nullable Throwable cause) {
    if (!agreed.isDone()) { // as after every agreement, when this handler leaves
      fail(new MultistreamException(describe(stranger() + what), cause));
    }
  }

  /** Whether the remote began with something else than multistream of any version. */
  private boolean isStranger() {
    int known = Math.min(beginning.length, HEADER_START_BYTES);
    return known > 1 && !Arrays.equals(beginning, 1, known, HEADER_MESSAGE, 1, known);
  }

  /** What to say first of a remote that does not speak multistream. */
  private String stranger() {
    if (!isStranger()) {
      return "";
    }
    return "the other end does not speak libp2p, it began with %s instead of %s: "
        .formatted(
            MultistreamMessage.quote(new String(beginning, StandardCharsets.ISO_8859_1)), HEADER);
  }

  private void fail(MultistreamException failure) {
    if (agreed.tryFailure(failure)) {
      cancelDeadline();
    }
  }

  /** {@code what} with the subject of the negotiation; with whom, its owner knows. */
  final String describe(String what) {
    return "multistream for %s: %s".formatted(subject(), what);
  }

  private void cancelDeadline() {
    if (deadline != null) {
      deadline.cancel(false);
    }
  }

  private void flushAnswers(ChannelHandlerContext ctx) {
    if (answers != null) {
      ByteBuf out = answers;
      answers = null;
      ctx.writeAndFlush(out);
    }
  }

  private ChannelHandlerContext context() {
    if (context == null) {
      throw new IllegalStateException("the multistream handler is not in a pipeline yet");
    }
    return context;
  }

  /** A promise whose event loop becomes known when the handler is added to a pipeline. */
  private final class Agreed extends DefaultPromise<String> {
    @Override
    protected EventExecutor executor() {
      return context().executor();
    }
  }
}
