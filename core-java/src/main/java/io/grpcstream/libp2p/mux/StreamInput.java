package io.grpcstream.libp2p.mux;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * The receiving half of a stream: what arrives waits in a queue until the pipeline asks for it.
 * Used on the event loop only.
 *
 * <p>One asked-for read is one batch, as on a socket: with {@code autoRead} up to {@code
 * maxMessagesPerRead} buffers, without it one, then channelReadComplete. What is left waits for the
 * next read, in a task of its own, so that no stream keeps the event loop to itself. Of a sender
 * that cannot be made to wait the pipeline gets at once all that it asks for, since what waits
 * costs memory.
 */
public abstract class StreamInput {
  /** What the pipeline has asked for, and whether it is getting it. */
  private enum Reading {
    IDLE,
    REQUESTED,
    IN_BATCH,
    /** In a batch, and the next one has been asked for. */
    IN_BATCH_AND_REQUESTED;

    boolean isInBatch() {
      return this == IN_BATCH || this == IN_BATCH_AND_REQUESTED;
    }

    boolean isRequested() {
      return this == REQUESTED || this == IN_BATCH_AND_REQUESTED;
    }

    Reading request() {
      return isInBatch() ? IN_BATCH_AND_REQUESTED : REQUESTED;
    }

    Reading beginBatch() {
      assert this == REQUESTED : "a batch began in state " + this;
      return IN_BATCH;
    }

    Reading endBatch() {
      assert isInBatch() : "a batch ended in state " + this;
      return this == IN_BATCH ? IDLE : REQUESTED;
    }

    /** The pipeline wants no more than what it is getting. */
    Reading withdraw() {
      return isInBatch() ? IN_BATCH : IDLE;
    }
  }

  /** How far the pipeline has come. */
  private enum Delivery {
    OPEN,
    /** The user wants no more: what arrives is dropped. */
    SHUT_DOWN,
    /** The pipeline has all that the other side has sent, and was told of its end. */
    ENDED
  }

  private final AbstractStreamChannel channel;
  private final ReceiveQueue queue;
  private final boolean senderCanWait;

  private Reading reading = Reading.IDLE;
  private volatile Delivery delivery = Delivery.OPEN;
  private boolean readTaskScheduled;
  private boolean delivering;

  /**
   * The input of {@code channel}.
   *
   * @param senderCanWait whether a batch has an end though there is more
   */
  protected StreamInput(AbstractStreamChannel channel, boolean senderCanWait) {
    this.channel = channel;
    this.senderCanWait = senderCanWait;
    queue = new ReceiveQueue(channel.alloc());
  }

  /** So many bytes that waited were delivered or dropped. */
  protected abstract void taken(int bytes);

  /** Nothing more is delivered for the moment; called after {@link #taken}. */
  protected void deliveryPaused() {}

  /** Whether nothing more will be delivered. Any thread. */
  public final boolean isShutdown() {
    return delivery != Delivery.OPEN;
  }

  /** Whether the other side has ended, and nothing of it is still to be delivered. */
  final boolean isFinished() {
    return delivery == Delivery.ENDED || (isShutdown() && channel.state().isRemoteEnded());
  }

  /** Whether the pipeline has asked for a read that has brought nothing yet. */
  public final boolean isReadPending() {
    return reading.isRequested();
  }

  /** Whether what arrives is wanted. */
  protected final boolean isWanted() {
    return channel.isOpen() && !isShutdown();
  }

  /** Takes over bytes, at least one, that have arrived and are {@linkplain #isWanted wanted}. */
  protected final void add(ByteBuf bytes) {
    queue.add(bytes);
  }

  /** Makes what was not delivered fit to wait; see {@link ReceiveQueue#settle}. */
  public final void settle(int pinnedBytes) {
    queue.settle(pinnedBytes);
  }

  /** Drops what waits and all that will come. */
  final void shutdown() {
    if (delivery == Delivery.OPEN) {
      delivery = Delivery.SHUT_DOWN;
    }
    for (ByteBuf rest = queue.poll(); rest != null; rest = queue.poll()) {
      taken(rest.readableBytes());
      rest.release();
    }
    deliveryPaused();
  }

  /** The channel is closed: what waits is dropped. */
  final void close() {
    queue.clear();
  }

  /** The pipeline asks for a read. */
  public final void beginRead() {
    reading = reading.request();
    if (!reading.isInBatch() && (channel.state().isRemoteEnded() || !queue.isEmpty())) {
      scheduleRead();
    }
  }

  final void autoReadCleared() {
    reading = reading.withdraw();
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
  public final void deliver() {
    if (delivering || !channel.isOpen() || reading == Reading.IDLE) {
      return;
    }
    delivering = true;
    try {
      var handle = channel.unsafe().recvBufAllocHandle();
      for (ByteBuf next = nextToDeliver(); next != null; next = nextToDeliver()) {
        int bytes = next.readableBytes();
        taken(bytes);
        handle.attemptedBytesRead(bytes);
        handle.lastBytesRead(bytes);
        handle.incMessagesRead(1);
        channel.pipeline().fireChannelRead(next);
      }
    } finally {
      delivering = false;
    }
    deliveryPaused();
  }

  private @Nullable ByteBuf nextToDeliver() {
    if (!channel.isOpen() || queue.isEmpty()) {
      return null;
    }
    if (reading.isInBatch()) {
      return batchGoesOn() ? queue.poll() : null;
    }
    if (reading == Reading.IDLE) {
      return null;
    }
    channel.unsafe().recvBufAllocHandle().reset(channel.config());
    reading = reading.beginBatch();
    return queue.poll();
  }

  private boolean batchGoesOn() {
    if (senderCanWait) {
      return channel.unsafe().recvBufAllocHandle().continueReading();
    }
    boolean goesOn = reading.isRequested() || channel.config().isAutoRead();
    reading = Reading.IN_BATCH;
    return goesOn;
  }

  /** The end of what this turn delivers: read-complete, and the end of input if it is reached. */
  public final void endBatch() {
    if (delivering) {
      return; // A handler's flush has led back here; who delivers ends the batch.
    }
    if (reading.isInBatch()) {
      reading = reading.endBatch();
      channel.unsafe().recvBufAllocHandle().readComplete();
      channel.pipeline().fireChannelReadComplete();
    }
    if (!channel.isOpen()) {
      return;
    }
    if (reading == Reading.REQUESTED && !queue.isEmpty()) {
      scheduleRead();
    } else if (reading == Reading.REQUESTED
        && delivery != Delivery.ENDED
        && channel.state().isRemoteEnded()) {
      delivery = Delivery.ENDED;
      reading = Reading.IDLE;
      channel.inputEnded();
    } else {
      channel.closeIfFinished();
    }
  }

  /**
   * The connection is over. A stream that the other side has ended, and that is being read, still
   * gets all of its data and its end: at most what waits, and more will not come.
   */
  public final void deliverRest() {
    while (channel.state().isRemoteEnded()
        && !delivering
        && channel.isOpen()
        && channel.config().isAutoRead()) {
      ByteBuf next = queue.poll();
      if (next == null) {
        reading = reading.request();
        endBatch();
        return;
      }
      reading = Reading.IN_BATCH;
      channel.pipeline().fireChannelRead(next);
    }
  }
}
