package io.grpcstream.libp2p.foreign;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * What the other side of a closing channel has to do to keep it: take {@value #MIN_PROGRESS} bytes
 * of what is still to be sent in each {@value #SECONDS} seconds. A slow reader so gets everything,
 * and one that reads nothing cannot keep a stream that nobody wants any more.
 *
 * <p>For channels of other stacks; streams of our own muxer know more about their other side, see
 * {@code YamuxStreamChannel.expectEnd()}. Runs on the channel's event loop.
 */
final class CloseTimeout {
  static final int SECONDS = 10;
  static final int MIN_PROGRESS = 16 * 1024;

  private final Channel channel;
  private final LongSupplier pending;
  private final Runnable cut;
  private Future<?> timer;

  /** For a channel that keeps in its outbound buffer what it has still to send. */
  CloseTimeout(Channel channel, Runnable cut) {
    this(channel, () -> pending(channel), cut);
  }

  /**
   * Starts at once; {@code cut} runs if the other side does not go on.
   *
   * @param pending how many bytes are still to be sent
   * @throws java.util.concurrent.RejectedExecutionException if the event loop has ended
   */
  CloseTimeout(Channel channel, LongSupplier pending, Runnable cut) {
    this.channel = channel;
    this.pending = pending;
    this.cut = cut;
    timer = next();
    channel.closeFuture().addListener(closed -> timer.cancel(false));
  }

  private Future<?> next() {
    long before = pending.getAsLong();
    return channel
        .eventLoop()
        .schedule(
            () -> {
              if (before - pending.getAsLong() >= MIN_PROGRESS) {
                timer = next();
              } else {
                cut.run();
              }
            },
            SECONDS,
            TimeUnit.SECONDS);
  }

  /** How many flushed bytes {@code channel} keeps in its outbound buffer. */
  static long pending(Channel channel) {
    ChannelOutboundBuffer out = channel.unsafe().outboundBuffer();
    if (out == null) { // The channel keeps what is written elsewhere, and tells this much.
      return channel.bytesBeforeWritable();
    }
    long[] bytes = {0};
    try {
      out.forEachFlushedMessage(
          message -> {
            bytes[0] += message instanceof ByteBuf part ? part.readableBytes() : 0;
            return true;
          });
    } catch (Exception e) {
      throw new IllegalStateException("counting bytes cannot fail", e);
    }
    return bytes[0];
  }
}
