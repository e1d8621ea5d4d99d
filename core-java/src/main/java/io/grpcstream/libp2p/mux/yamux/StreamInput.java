package io.grpcstream.libp2p.mux.yamux;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * The receiving half of a stream: from the session's frames, through a queue bounded by the window,
 * to the pipeline when it asks. Used on the event loop only.
 *
 * <p>One asked-for read is one batch, as on a socket: with {@code autoRead} up to {@code
 * maxMessagesPerRead} buffers, without it one, then channelReadComplete. A batch ends with the
 * connection's own read at the latest; what is left waits for the next read, in a task of its own,
 * so that no stream keeps the event loop to itself.
 */
final class StreamInput {
  private final YamuxStreamChannel channel;
  private final YamuxSession session;
  private final ReceiveWindow window;
  private final ReceiveQueue queue;

  /** The other side sends nothing more. */
  private boolean finReceived;

  /** The pipeline has been told so, after all data. */
  private boolean endDelivered;

  /** What arrives is dropped, and its credit given back. */
  private volatile boolean shutdown;

  private boolean readPending;
  private boolean readTaskScheduled;
  private boolean delivering;
  private boolean inBatch;
  private boolean batchFull;

  StreamInput(YamuxStreamChannel channel, YamuxSession session) {
    this.channel = channel;
    this.session = session;
    window = session.newReceiveWindow();
    queue = new ReceiveQueue(channel.parent().alloc());
  }

  ReceiveWindow window() {
    return window;
  }

  boolean hasReceivedFin() {
    return finReceived;
  }

  boolean isEndDelivered() {
    return endDelivered;
  }

  boolean isShutdown() {
    return shutdown;
  }

  /** Drops what waits and all that will come. */
  void shutdown() {
    shutdown = true;
    for (ByteBuf rest = queue.poll(); rest != null; rest = queue.poll()) {
      window.delivered(rest.readableBytes());
      rest.release();
    }
    giveCredit();
  }

  /** The channel is closed: what waits is dropped without credit. */
  void close() {
    queue.clear();
  }

  /** The next {@code bytes} of {@code in}, within the window, belong to this stream. */
  void receive(ByteBuf in, int bytes) {
    window.received(bytes);
    if (channel.isOpen() && !shutdown) {
      queue.add(in.readRetainedSlice(bytes));
      return;
    }
    in.skipBytes(bytes);
    window.delivered(bytes);
    if (channel.isOpen()) {
      giveCredit();
    }
  }

  /** FIN: nothing more will arrive. A second one changes nothing. */
  void receiveFin() {
    finReceived = true;
  }

  /** The pipeline asks for a read; true if the channel's first, automatic one may be issued. */
  void beginRead() {
    readPending = true;
    if (!inBatch && (finReceived || !queue.isEmpty())) {
      scheduleRead();
    }
  }

  boolean isReadPending() {
    return readPending;
  }

  void autoReadCleared() {
    readPending = false;
  }

  private void scheduleRead() {
    if (!readTaskScheduled) {
      readTaskScheduled = true;
      channel
          .eventLoop()
          .execute(
              () -> {
                readTaskScheduled = false;
                deliver();
                endBatch();
              });
    }
  }

  /** Delivers what waits, as far as the pipeline has asked; {@link #endBatch} must follow. */
  void deliver() {
    if (delivering || !channel.isOpen() || (!inBatch && !readPending)) {
      return;
    }
    delivering = true;
    try {
      var handle = channel.unsafe().recvBufAllocHandle();
      for (ByteBuf next = nextToDeliver(); next != null; next = nextToDeliver()) {
        int bytes = next.readableBytes();
        window.delivered(bytes);
        handle.attemptedBytesRead(bytes);
        handle.lastBytesRead(bytes);
        handle.incMessagesRead(1);
        channel.pipeline().fireChannelRead(next);
        batchFull = !handle.continueReading();
      }
    } finally {
      delivering = false;
    }
    giveCredit();
  }

  private @Nullable ByteBuf nextToDeliver() {
    if (!channel.isOpen() || queue.isEmpty()) {
      return null;
    }
    if (!inBatch) {
      channel.unsafe().recvBufAllocHandle().reset(channel.config());
      inBatch = true;
      batchFull = false;
      readPending = false;
    }
    return batchFull ? null : queue.poll();
  }

  /** Makes what was not delivered fit to wait; see {@link ReceiveQueue#settle}. */
  void settle(int pinnedBytes) {
    queue.settle(pinnedBytes);
  }

  /** The end of what this turn delivers: read-complete, and the end of input if it is reached. */
  void endBatch() {
    if (inBatch) {
      inBatch = false;
      channel.unsafe().recvBufAllocHandle().readComplete();
      channel.pipeline().fireChannelReadComplete();
    }
    if (!readPending || !channel.isOpen()) {
      return;
    }
    if (!queue.isEmpty()) {
      scheduleRead();
    } else if (finReceived && !endDelivered) {
      endDelivered = true;
      readPending = false;
      shutdown = true;
      channel.inputEnded();
    }
  }

  /**
   * The connection is over. A stream whose FIN has come, and that is being read, still gets all of
   * its data and its end: at most a window of it, and more will not come.
   */
  void deliverRest() {
    while (finReceived && !delivering && channel.isOpen() && channel.config().isAutoRead()) {
      ByteBuf next = queue.poll();
      if (next == null) {
        readPending = true;
        endBatch();
        return;
      }
      inBatch = true;
      channel.pipeline().fireChannelRead(next);
    }
  }

  private void giveCredit() {
    if (!channel.removed) {
      int credit = session.creditDue(window, finReceived);
      if (credit > 0) {
        channel.output().sendCredit(credit);
      }
    }
  }
}
