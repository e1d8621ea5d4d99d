package io.grpcstream.netty;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2ConnectionAdapter;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameWriter;
import io.netty.handler.codec.http2.Http2LocalFlowController;
import io.netty.handler.codec.http2.Http2Stream;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The HTTP/2 windows (RFC 9113, section 5.2) of the calls on one stream, such that they bound what
 * the calls hold.
 *
 * <p>gRPC gives window back for each byte that it has taken out of a frame, also while the message
 * is not complete, and refills the connection's window on arrival, so that no call can block
 * another. A peer may then begin any number of messages, of any permitted length, and leave them
 * unfinished. Here
 *
 * <ul>
 *   <li>a window is given back for whole messages only: what a call holds, unread or unfinished,
 *       never exceeds its window;
 *   <li>a window is small at first ({@value #WINDOW} bytes, or what the user has set), and
 *   <li>a message that does not fit, and of which half a window has come, gets what it lacks, and
 *       at least as much as the window has, once it is {@linkplain MessageMemory reserved}: at once
 *       if there is room, else in the order in which messages began, and peers in turn. It is the
 *       whole message that is reserved, so that each one that has begun to grow can also be
 *       completed, and nobody waits in a circle;
 *   <li>a window grows, unless the user has set it, with what is taken out of it, up to what that
 *       is in a second and to {@value #GROWN_WINDOW} bytes, as long as there is plenty: a far
 *       reader that keeps up is not held back by the distance, and a slow one holds little.
 * </ul>
 *
 * <p>So the calls of one stream hold at most twice {@value #WINDOW} bytes each, and together
 * {@value #RESERVABLE} more for long messages (or one message where that is longer) and {@value
 * #GROWABLE} for windows that have grown. A caller with many long messages at a time has them go
 * one after the other; none of its calls fails.
 *
 * <p>Used on the event loop only.
 */
final class CallWindows extends Http2ConnectionAdapter implements Http2LocalFlowController {
  /**
   * The window a call starts with. One more than HTTP/2's own, as that is what users set who want a
   * window that does not grow.
   */
  static final int WINDOW = 64 << 10;

  private static final int GROWN_WINDOW = 8 << 20;

  /** A window that lasts its reader for longer does not grow: no round trip takes as long. */
  private static final long GROWTH_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** What the calls of one stream may have reserved for messages together. */
  private static final int RESERVABLE = 16 << 20;

  /**
   * Bytes a second that a message has to bring on average while others wait for what it has
   * reserved: a modem's. Else a few bytes a minute would hold a whole message's room.
   */
  private static final int LEAST_RATE = 4 << 10;

  /** And so that no message holds what others wait for longer than this, however long it is. */
  private static final int LONGEST_HOLD_SECONDS = 1_024;

  /** What the windows of one stream may have grown by together. */
  private static final int GROWABLE = 8 << 20;

  /** Bounds no memory, as it is refilled on arrival; large, so that it does not limit the rate. */
  private static final int CONNECTION_WINDOW = 8 << 20;

  /** What a frame costs beside its bytes, in objects that hold it. */
  private static final int FRAME_COST = 256;

  private final Http2LocalFlowController windows;
  private final Http2Connection connection;
  private final Http2Connection.PropertyKey key;
  private final PeerBudget budget;

  /** Calls whose message waits for room, in the order in which these began. */
  private final Map<Http2Stream, CallInput> waiting = new LinkedHashMap<>();

  /**
   * Where the first of {@link #waiting} waits; null if none does, or if it waits for other calls of
   * this stream, and so in nobody's way.
   */
  private MessageMemory.@Nullable Place place;

  private @Nullable ChannelHandlerContext ctx;
  private long reserved;
  private long grown;

  private CallWindows(Http2Connection connection, PeerBudget budget) {
    this.connection = connection;
    this.budget = budget;
    windows = connection.local().flowController();
    key = connection.newKey();
  }

  /** Takes the place of the connection's own, before its first frame. */
  static CallWindows install(Http2Connection connection, PeerBudget budget) {
    CallWindows created = new CallWindows(connection, budget);
    connection.local().flowController(created);
    connection.addListener(created);
    return created;
  }

  /** What {@code call} has received; null unless it is active. */
  @Nullable CallInput input(Http2Stream call) {
    return call.getProperty(key);
  }

  /** Opens the connection's window; to be called once the peer's SETTINGS are there. */
  void openConnectionWindow() throws Http2Exception {
    Http2Stream all = connection.connectionStream();
    int missing = CONNECTION_WINDOW - windows.initialWindowSize(all);
    if (missing > 0) {
      windows.incrementWindowSize(all, missing);
    }
  }

  // --- what arrives ------------------------------------------------------------------------------

  @Override
  public void onStreamActive(Http2Stream call) {
    call.setProperty(key, new CallInput());
  }

  @Override
  public void receiveFlowControlledFrame(
      Http2Stream call, ByteBuf data, int padding, boolean endOfStream) throws Http2Exception {
    windows.receiveFlowControlledFrame(call, data, padding, endOfStream);
    if (call == null || call.state() == Http2Stream.State.CLOSED) {
      return;
    }
    CallInput input = call.getProperty(key);
    if (input == null) {
      return;
    }
    input.message.add(data);
    input.received += data.readableBytes();
    input.unread += data.readableBytes();
    input.frames.add(data.readableBytes());
    if (input.message.begun() > 0) {
      input.progressAt = System.nanoTime();
    }
    if (padding > 0) { // It holds nothing.
      windows.consumeBytes(call, padding);
    }
  }

  /** Whether what {@code call} now holds has room; to be asked when a frame has been handed on. */
  boolean hasRoom(Http2Stream call) {
    CallInput input = call.getProperty(key);
    return input == null || hold(input, call);
  }

  private boolean hold(CallInput input, Http2Stream call) {
    long now = windows.unconsumedBytes(call) + (long) input.frames.count() * FRAME_COST;
    long more = now - input.held;
    if (more == 0) {
      return true;
    }
    if (!budget.all.hold(budget, more)) {
      return false;
    }
    input.held = now;
    return true;
  }

  /**
   * Whether the peer could send more of the message of {@code call} that is not complete, and has
   * sent nothing since then; or, where messages wait for what this one has reserved, too little. A
   * call that we make has a deadline, so only the latter counts, and only for the sake of others.
   */
  boolean isStalled(Http2Stream call, long sinceNanos) {
    CallInput input = call.getProperty(key);
    return input != null
        && input.message.begun() > 0
        && input.unread == 0
        && windows.windowSize(call) > 0
        && (isSilent(input, sinceNanos) || isHolding(input, sinceNanos));
  }

  private boolean isSilent(CallInput input, long sinceNanos) {
    return connection.isServer() && sinceNanos - input.progressAt > 0;
  }

  private boolean isHolding(CallInput input, long sinceNanos) {
    if (input.extra == 0 || sinceNanos - input.grantedAt < 0 || !isMissed()) {
      return false;
    }
    long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - input.grantedAt);
    long leastRate = Math.max(LEAST_RATE, input.extra / LONGEST_HOLD_SECONDS);
    return input.received - input.receivedAtGrant < seconds * leastRate;
  }

  /** Whether messages wait for what calls of this stream have reserved. */
  private boolean isMissed() {
    MessageMemory room = budget.all.room;
    return connection.isServer() ? !waiting.isEmpty() || room.isShort(budget) : room.isShort();
  }

  // --- what gRPC has taken -----------------------------------------------------------------------

  @Override
  public boolean consumeBytes(Http2Stream call, int bytes) throws Http2Exception {
    CallInput input = call == null ? null : call.getProperty(key);
    if (input == null || call.state() == Http2Stream.State.CLOSED) {
      return windows.consumeBytes(call, bytes);
    }
    if (bytes == 0) {
      return false;
    }
    int data = Math.min(bytes, input.unread);
    input.unread -= data;
    // With nothing unread, gRPC has taken what has come of the last message. A prefix alone is
    // given
    // back, as it holds nothing, and a window may be smaller.
    long begun = input.message.begun();
    int keep =
        input.unread == 0 && begun > MessageProgress.PREFIX_BYTES
            ? (int) Math.min(begun, input.withheld + data)
            : 0;
    int give = input.withheld + data - keep;
    input.withheld = keep;
    input.frames.take(give);
    if (keep == 0) {
      withdrawExtra(call, input);
    }
    boolean updated = give > 0 && windows.consumeBytes(call, give);
    input.sinceGrowth += give;
    updated |= keep > 0 ? extend(call, input) : grow(call, input);
    if (input.held > 0) {
      hold(input, call);
    }
    return updated;
  }

  // --- reservations ------------------------------------------------------------------------------

  /** Makes room for the rest of a message, or has it wait for room. */
  private boolean extend(Http2Stream call, CallInput input) throws Http2Exception {
    boolean early = 2L * input.withheld < windows.initialWindowSize(call);
    if (early || input.extra > 0 || input.message.missing() <= windows.windowSize(call)) {
      return false;
    }
    if (waiting.isEmpty()) {
      long bytes = lack(call, input);
      if (mayReserve(bytes) && budget.all.room.reserve(budget, bytes)) {
        grant(call, input, bytes);
        return true;
      }
    }
    waiting.put(call, input);
    awaitRoom();
    return false;
  }

  /**
   * Bytes to reserve for the rest of a message; more of it can come, but no more is needed. All the
   * windows that HTTP/2 has (RFC 9113, section 6.9.1) are enough for any message of gRPC's.
   */
  private long lack(Http2Stream call, CallInput input) {
    // An update is sent once half of the window is free: with twice the window, it is.
    long missing = input.message.missing() - windows.windowSize(call);
    long atLeast = windows.initialWindowSize(call) + 2L;
    long atMost = (long) Integer.MAX_VALUE - windows.initialWindowSize(call);
    return Math.min(atMost, Math.max(missing, atLeast));
  }

  /** Whether the calls of this stream may have so much more reserved. */
  private boolean mayReserve(long bytes) {
    return reserved == 0 || reserved + bytes <= RESERVABLE;
  }

  /** Has the message that began first wait with those of other streams. */
  private void awaitRoom() {
    if (place != null || waiting.isEmpty()) {
      return;
    }
    Map.Entry<Http2Stream, CallInput> first = waiting.entrySet().iterator().next();
    long bytes = lack(first.getKey(), first.getValue());
    if (mayReserve(bytes)) {
      ChannelHandlerContext handler = Objects.requireNonNull(ctx, "data came before its handler");
      place = budget.all.room.await(budget, bytes, handler.executor(), this::grantWaiting);
    }
  }

  private void grantWaiting() {
    boolean granted = false;
    try {
      for (MessageMemory.Place mine = place; mine != null && take(mine); mine = place) {
        Map.Entry<Http2Stream, CallInput> first = waiting.entrySet().iterator().next();
        waiting.remove(first.getKey());
        place = null;
        grant(first.getKey(), first.getValue(), mine.bytes);
        granted = true;
        awaitRoom();
      }
    } catch (Http2Exception e) {
      // Of a window that cannot be, by the rules above: there is no more to say about this stream.
      if (ctx != null) {
        ctx.fireExceptionCaught(e);
        ctx.close();
      }
    }
    if (granted && ctx != null) {
      ctx.flush();
    }
  }

  private boolean take(MessageMemory.Place mine) {
    return budget.all.room.take(mine);
  }

  private void grant(Http2Stream call, CallInput input, long bytes) throws Http2Exception {
    reserved += bytes;
    input.extra = (int) bytes;
    input.progressAt = System.nanoTime();
    input.grantedAt = input.progressAt;
    input.receivedAtGrant = input.received;
    windows.incrementWindowSize(call, input.extra);
  }

  private void withdrawExtra(Http2Stream call, CallInput input) throws Http2Exception {
    waitNoMore(call);
    if (input.extra > 0) {
      windows.incrementWindowSize(call, -input.extra);
      giveBack(input);
    }
  }

  private void giveBack(CallInput input) {
    reserved -= input.extra;
    budget.all.room.release(budget, input.extra);
    input.extra = 0;
    awaitRoom();
  }

  private void waitNoMore(Http2Stream call) {
    boolean first = !waiting.isEmpty() && waiting.keySet().iterator().next() == call;
    waiting.remove(call);
    if (first) {
      MessageMemory.Place left = place;
      place = null;
      awaitRoom(); // Before the place is left, so that the peer keeps its turn.
      if (left != null) {
        budget.all.room.leave(left);
      }
    }
  }

  private boolean grow(Http2Stream call, CallInput input) throws Http2Exception {
    int window = windows.initialWindowSize(call);
    if (input.sinceGrowth < window) {
      return false;
    }
    long now = System.nanoTime();
    boolean slow = now - input.growthAt > GROWTH_NANOS;
    input.sinceGrowth = 0;
    input.growthAt = now;
    if (slow
        || windows.initialWindowSize() != WINDOW
        || 2 * window > GROWN_WINDOW
        || grown + window > GROWABLE
        || !waiting.isEmpty()
        || !budget.all.grow(budget, window)) {
      return false;
    }
    grown += window;
    input.grown += window;
    windows.incrementWindowSize(call, window);
    return true;
  }

  @Override
  public void onStreamClosed(Http2Stream call) {
    CallInput input = call.removeProperty(key);
    if (input == null) {
      return;
    }
    if (input.held > 0) {
      budget.all.hold(budget, -input.held);
    }
    waitNoMore(call);
    if (input.grown > 0) {
      grown -= input.grown;
      budget.all.shrink(budget, input.grown);
    }
    if (input.extra > 0) {
      giveBack(input);
    }
  }

  // --- the rest is as it was ---------------------------------------------------------------------

  @Override
  public Http2LocalFlowController frameWriter(Http2FrameWriter frameWriter) {
    windows.frameWriter(frameWriter);
    return this;
  }

  @Override
  public void channelHandlerContext(ChannelHandlerContext ctx) throws Http2Exception {
    this.ctx = ctx;
    windows.channelHandlerContext(ctx);
  }

  @Override
  public void initialWindowSize(int newWindowSize) throws Http2Exception {
    windows.initialWindowSize(newWindowSize);
  }

  @Override
  public int initialWindowSize() {
    return windows.initialWindowSize();
  }

  @Override
  public int windowSize(Http2Stream call) {
    return windows.windowSize(call);
  }

  @Override
  public int initialWindowSize(Http2Stream call) {
    return windows.initialWindowSize(call);
  }

  @Override
  public void incrementWindowSize(Http2Stream call, int delta) throws Http2Exception {
    windows.incrementWindowSize(call, delta);
  }

  /** As gRPC sees it: what it has taken out of frames is consumed. */
  @Override
  public int unconsumedBytes(Http2Stream call) {
    CallInput input = call.getProperty(key);
    return input == null ? windows.unconsumedBytes(call) : input.unread;
  }
}
