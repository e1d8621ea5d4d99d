package io.grpcstream.libp2p.foreign;

import io.grpcstream.libp2p.mux.yamux.ReceiveQueue;
import io.netty.buffer.ByteBuf;
import java.io.IOException;

/**
 * The receiving half of a foreign stream: what arrives goes to the pipeline if that has asked for
 * it, and else waits here, since the channel below cannot be told to stop. Nor can its peer: what
 * waits has a limit, beyond which the stream is reset. Used on the event loop only.
 */
final class ForeignStreamInput {
  private final ForeignStreamChannel channel;
  private final ReceiveQueue held;
  private int heldBytes;

  /** The pipeline has asked for a read that has brought nothing yet. */
  private boolean readWanted;

  /** Something was delivered, and read-complete is still to follow. */
  private boolean inBatch;

  private boolean delivering;
  private boolean taskScheduled;
  private boolean ended;
  private boolean endDelivered;
  private volatile boolean shutdown;

  ForeignStreamInput(ForeignStreamChannel channel) {
    this.channel = channel;
    held = new ReceiveQueue(channel.alloc());
  }

  /** Whether no more will be delivered. Any thread. */
  boolean isShutdown() {
    return shutdown;
  }

  /** Whether the other side has ended its half. */
  boolean hasEnded() {
    return ended;
  }

  /** Whether the other side has ended its half, and nothing of it is still to be delivered. */
  boolean isFinished() {
    return endDelivered || (ended && shutdown);
  }

  /** Takes over what has arrived; the end of the batch must follow. */
  void receive(ByteBuf bytes) {
    if (!channel.isOpen() || shutdown || ended || !bytes.isReadable()) {
      bytes.release();
      return;
    }
    int memory = ReceiveQueue.pinnedBytes(bytes);
    held.add(bytes);
    heldBytes += bytes.readableBytes();
    deliver();
    if (heldBytes > ForeignStreamChannel.MAX_HELD_BYTES && channel.isOpen()) {
      channel.abort(
          new IOException(
              String.format(
                  "%s was reset: its peer has sent %,d bytes that nobody has read yet, limit %,d,"
                      + " and reads of such a stream cannot be paused",
                  channel.name(), heldBytes, ForeignStreamChannel.MAX_HELD_BYTES)));
    } else {
      held.settle(memory);
    }
  }

  /** The other side has ended its half. */
  void end() {
    ended = true;
    endBatch();
  }

  /** The pipeline asks for a read. */
  void beginRead() {
    readWanted = true;
    if (!inBatch && (ended || !held.isEmpty()) && !taskScheduled) {
      taskScheduled = true;
      channel
          .eventLoop()
          .execute(
              () -> {
                taskScheduled = false;
                deliver();
                endBatch();
              });
    }
  }

  void autoReadCleared() {
    readWanted = false;
  }

  /** Without autoRead, a read brings one buffer. */
  private void deliver() {
    if (delivering) {
      return;
    }
    delivering = true;
    try {
      while (channel.isOpen() && (readWanted || (inBatch && channel.config().isAutoRead()))) {
        ByteBuf next = held.poll();
        if (next == null) {
          return;
        }
        heldBytes -= next.readableBytes();
        readWanted = false;
        inBatch = true;
        channel.pipeline().fireChannelRead(next);
      }
    } finally {
      delivering = false;
    }
  }

  /** What belongs together has arrived: read-complete, and the end of the input if it is due. */
  void endBatch() {
    if (delivering) {
      return;
    }
    if (inBatch) {
      inBatch = false;
      channel.pipeline().fireChannelReadComplete();
    }
    if (!readWanted || !channel.isOpen()) {
      return;
    }
    if (!held.isEmpty()) {
      beginRead();
    } else if (ended && !endDelivered) {
      endDelivered = true;
      readWanted = false;
      shutdown = true;
      channel.inputEnded();
    }
  }

  /** Drops what waits and all that will come. */
  void shutdown() {
    shutdown = true;
    clear();
  }

  /** Releases what waits. */
  void clear() {
    held.clear();
    heldBytes = 0;
  }
}
