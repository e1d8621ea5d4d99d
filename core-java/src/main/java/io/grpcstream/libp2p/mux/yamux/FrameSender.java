package io.grpcstream.libp2p.mux.yamux;

import io.grpcstream.libp2p.util.EventLoops;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;

/**
 * Everything that leaves the session, in a fair order. Used on the event loop only.
 *
 * <p><b>Turns.</b> What streams write during one turn of the event loop is sent at its end: the
 * first frame schedules a task for that, and the connection's channelReadComplete does it earlier
 * if it comes first. So what many streams have written costs one cipher call and one system call.
 *
 * <p>One exception: if only one stream has data and it has flushed some KiB, they are sent at once.
 * The other side then works on them while this side goes on writing. Without that, a stream with
 * many small calls would have its two sides work in turns, each idle while the other is busy.
 *
 * <p><b>Data</b> is made into frames by round robin: streams with flushed bytes and window queue in
 * {@code ready}; the first sends one frame and goes to the end of the queue. So a stream waits for
 * at most one frame of each other stream.
 *
 * <ul>
 *   <li>Frames are made only while the connection is writable, and are flushed after every 64 KiB
 *       of payload, as a cipher may not count what it holds until it is flushed. So what is queued
 *       ahead of a new frame is at most the connection's high water mark, 64 KiB and one frame,
 *       however many streams there are.
 *   <li>After 1 MiB the rest is left to a later task, so that other work of the event loop runs.
 *   <li>When the connection becomes writable again, sending goes on at the end of that turn, not in
 *       the event itself: the event may come many times in a row, and each could send 1 MiB.
 * </ul>
 *
 * <p><b>Control</b> frames (window updates, pings, FIN, RST) are 12 bytes and are handed over at
 * once, also when the connection is not writable: they never wait behind data that is not yet a
 * frame.
 */
final class FrameSender {
  /** Bytes of payload after which a flush is due. */
  private static final int PORTION = 64 * 1024;

  /**
   * From so many bytes on, what one stream alone flushes leaves at once. Like the others here, as
   * Netty counts pending bytes, with 96 for each buffer: some five small calls.
   */
  private static final int MIN_EARLY = 2 * 1024;

  /** Beyond so many it waits for the end of the turn, where others may want their share. */
  private static final int MAX_EARLY = 32 * 1024;

  /** As soon as so many have left in a turn, the rest waits for its end. */
  private static final int MAX_EARLY_IN_A_TURN = 64 * 1024;

  private static final int MAX_TURN = 1024 * 1024;

  private final ChannelHandlerContext ctx;
  private final FrameGatherer gatherer;
  private final Runnable turn;
  private final Queue<YamuxStreamChannel> ready = new ArrayDeque<>();
  private final List<YamuxStreamChannel> unannounced = new ArrayList<>();
  private final ChannelFutureListener controlSent = sent -> controlLeft();
  private long controlBytes;
  private int unsentControls;

  /** Pending bytes that were sent before the end of this turn. */
  private long early;

  private boolean turnScheduled;
  private boolean needsFlush;
  private boolean draining;

  /**
   * A sender for the connection of {@code ctx}.
   *
   * @param turn the end of a turn; must call {@link #drain()}
   */
  FrameSender(ChannelHandlerContext ctx, Runnable turn) {
    this.ctx = ctx;
    this.gatherer = new FrameGatherer(ctx.alloc());
    this.turn =
        () -> {
          turnScheduled = false;
          turn.run();
        };
  }

  /** Bytes of frames without payload that were handed over so far. */
  long controlBytes() {
    return controlBytes;
  }

  /** Hands over a frame without payload; it is flushed at the end of the turn. */
  ChannelFuture control(int type, int flags, int streamId, int length) {
    EventLoops.assertOn(ctx.channel().eventLoop());
    needsFlush = true;
    controlBytes += YamuxHeader.SIZE;
    scheduleTurn();
    unsentControls++;
    return ctx.write(YamuxHeader.encode(ctx.alloc(), type, flags, streamId, length))
        .addListener(controlSent);
  }

  private void controlLeft() {
    unsentControls--;
  }

  /** Frames without payload that the connection has not yet taken. */
  int unsentControls() {
    return unsentControls;
  }

  /** Asks for the end of the turn. */
  void scheduleTurn() {
    if (!turnScheduled && !draining) {
      turnScheduled = true;
      ctx.channel().eventLoop().execute(turn);
    }
  }

  /** The stream has flushed bytes and window: it takes part in the round robin. */
  void ready(YamuxStreamChannel stream) {
    EventLoops.assertOn(ctx.channel().eventLoop());
    if (!stream.queuedToSend) {
      stream.queuedToSend = true;
      ready.add(stream);
      scheduleTurn();
    }
  }

  /** The stream's user has flushed: it takes part, and may not have to wait. */
  void flushed(YamuxStreamChannel stream) {
    ready(stream);
    long pending = stream.output().pendingBytes();
    if (mayLeaveNow(pending) && !draining && !gatherer.isBusy()) {
      early += pending;
      sendReady();
      // Netty ignores a flush within a flush: what listeners have written meanwhile counts here.
      if (stream.output().hasDataToSend()) {
        ready(stream);
      }
    }
  }

  private boolean mayLeaveNow(long pending) {
    return ready.size() == 1
        && pending >= MIN_EARLY
        && pending <= MAX_EARLY
        && early < MAX_EARLY_IN_A_TURN;
  }

  /** The stream's SYN or ACK goes out at the end of the turn, if no frame carried it before. */
  void announce(YamuxStreamChannel stream) {
    unannounced.add(stream);
    scheduleTurn();
  }

  /** Sends what this stream has flushed at once, as far as its window and the connection go. */
  void sendNow(YamuxStreamChannel stream) {
    while (stream.output().hasDataToSend() && canTakeMore() && send(stream) > 0) {
      scheduleTurn();
    }
  }

  private boolean canTakeMore() {
    if (!ctx.channel().isWritable()) {
      flush();
    }
    return ctx.channel().isWritable();
  }

  /** Flushes now instead of at the end of the turn. */
  void flush() {
    if (needsFlush) {
      needsFlush = false;
      ctx.flush();
    }
  }

  /** The end of a turn. */
  void drain() {
    if (!draining) {
      early = 0;
      sendReady();
    }
  }

  private void sendReady() {
    draining = true;
    try {
      int made = 0;
      do {
        announceRest();
        made += makePortion();
        flush();
      } while (made < MAX_TURN && hasMore());
    } finally {
      draining = false;
    }
    if (hasMore()) {
      scheduleTurn();
    }
  }

  private boolean hasMore() {
    return needsFlush || !unannounced.isEmpty() || (!ready.isEmpty() && ctx.channel().isWritable());
  }

  private void announceRest() {
    for (YamuxStreamChannel stream : unannounced) {
      if (!stream.queuedToSend) {
        stream.output().sendAnnouncement();
      }
    }
    unannounced.clear();
  }

  private int makePortion() {
    int made = 0;
    while (made < PORTION && !ready.isEmpty() && ctx.channel().isWritable()) {
      YamuxStreamChannel stream = ready.remove();
      stream.queuedToSend = false;
      made += send(stream);
      if (stream.output().hasDataToSend()) {
        ready(stream);
      }
      stream.output().sendAnnouncement();
    }
    return made;
  }

  private int send(YamuxStreamChannel stream) {
    needsFlush = true;
    return stream.output().sendFrame(ctx, gatherer);
  }
}
