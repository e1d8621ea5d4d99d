package io.grpcstream.libp2p.mux;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOutboundBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The bytes at the head of a channel's outbound buffer that the layer below has taken over, until
 * their writes are completed. Used on the event loop only.
 *
 * <p>The listeners of a write may do anything, also flush or close the channel, which comes back
 * here first: so each step leaves the books in order.
 */
public final class HandedOverBytes {
  private final Channel channel;
  private int bytes;

  /** Nothing was handed over yet. */
  HandedOverBytes(Channel channel) {
    this.channel = channel;
  }

  private @Nullable ChannelOutboundBuffer buffer() {
    return channel.unsafe().outboundBuffer();
  }

  /** The next {@code count} flushed bytes were taken over; {@link #complete()} must follow. */
  public void add(int count) {
    bytes += count;
  }

  /**
   * Takes what was taken over out of the outbound buffer, and completes its writes; empty writes
   * that come next are complete as well.
   */
  public void complete() {
    ChannelOutboundBuffer out = buffer();
    while (out != null && out.current() instanceof ByteBuf head) {
      int readable = head.readableBytes();
      if (readable > bytes) {
        int part = bytes;
        bytes = 0;
        if (part > 0) {
          head.skipBytes(part);
          out.progress(part);
        }
        return;
      }
      bytes -= readable;
      out.progress(readable);
      out.remove();
      out = buffer();
    }
  }

  /** Whether anything was written, flushed or not, that was not taken over. */
  boolean leavesPending() {
    complete();
    ChannelOutboundBuffer out = buffer();
    if (out == null) {
      return false;
    }
    out.addFlush();
    complete();
    return !out.isEmpty();
  }

  /**
   * Fails every flushed write that was not taken over, but none that is flushed meanwhile: failing
   * writes makes the channel writable, so a handler that writes whenever it can would keep us here
   * for ever. Its late writes fail when the channel is closed.
   */
  void failRest(Throwable cause) {
    complete();
    ChannelOutboundBuffer out = buffer();
    for (int left = out == null ? 0 : out.size(); left > 0 && out != null; left--) {
      out.remove(cause);
      out = buffer();
    }
  }
}
