package io.grpcstream.libp2p.mux.yamux;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Makes one data frame of what a stream has flushed: a 12-byte header and slices of the pending
 * buffers, which stay where they are. Pieces of up to 512 bytes are copied behind the header
 * instead, since an entry in the connection's queue costs more than the copy; gRPC's 9-byte frame
 * headers so never travel alone. Used on the event loop only; one frame at a time.
 */
final class FrameGatherer implements ChannelOutboundBuffer.MessageProcessor {
  private static final int MAX_COPIED = 512;

  private final ByteBufAllocator alloc;
  private final List<ByteBuf> parts = new ArrayList<>();

  /** On the way of a small piece: from buffer to buffer, Netty would make an object or two. */
  private final byte[] piece = new byte[MAX_COPIED];

  /** The last part, if small pieces may be appended to it. */
  private @Nullable ByteBuf tail;

  private int left;
  private int gathered;

  FrameGatherer(ByteBufAllocator alloc) {
    this.alloc = alloc;
  }

  /**
   * Gathers up to {@code limit} flushed bytes of {@code out} without changing it. If the result is
   * above zero, {@link #write} must follow.
   */
  int gather(ChannelOutboundBuffer out, int limit) {
    left = limit;
    gathered = 0;
    tail = null;
    boolean done = false;
    try {
      out.forEachFlushedMessage(this);
      done = true;
    } catch (Exception e) {
      throw new IllegalStateException("yamux: gathering a frame cannot fail", e);
    } finally {
      if (!done) { // For want of memory: this frame must not be in the way of others.
        parts.forEach(ByteBuf::release);
        parts.clear();
        tail = null;
      }
    }
    return gathered;
  }

  /** Whether a frame is being handed over right now: then no other may be made. */
  boolean isBusy() {
    return !parts.isEmpty();
  }

  @Override
  public boolean processMessage(Object message) {
    ByteBuf buffer = (ByteBuf) message;
    int readable = buffer.readableBytes();
    if (readable == 0) {
      return true;
    }
    int bytes = Math.min(readable, left);
    if (bytes > 0) {
      append(buffer, bytes);
      left -= bytes;
      gathered += bytes;
    }
    return bytes == readable;
  }

  private void append(ByteBuf buffer, int bytes) {
    if (parts.isEmpty()) {
      tail = alloc.buffer(Math.max(64, YamuxHeader.SIZE + Math.min(bytes, MAX_COPIED)));
      tail.writeZero(YamuxHeader.SIZE);
      parts.add(tail);
    }
    if (bytes > MAX_COPIED) {
      parts.add(buffer.retainedSlice(buffer.readerIndex(), bytes));
      tail = null;
      return;
    }
    if (tail == null) {
      tail = alloc.buffer(MAX_COPIED);
      parts.add(tail);
    }
    buffer.getBytes(buffer.readerIndex(), piece, 0, bytes);
    tail.writeBytes(piece, 0, bytes);
  }

  /** Hands the gathered frame to the connection, without flushing it. */
  void write(ChannelHandlerContext ctx, int flags, int streamId) {
    ByteBuf head = parts.get(0);
    int end = head.writerIndex();
    YamuxHeader.write(head.writerIndex(0), YamuxHeader.DATA, flags, streamId, gathered);
    head.writerIndex(end);
    for (ByteBuf part : parts) {
      ctx.write(part);
    }
    parts.clear();
    tail = null;
  }
}
