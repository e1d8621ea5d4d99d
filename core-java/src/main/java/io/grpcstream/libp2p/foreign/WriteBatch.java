package io.grpcstream.libp2p.foreign;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelOutboundBuffer;

/**
 * The first flushed messages of an outbound buffer, whole, as one write. They stay there: the bytes
 * are the caller's, who removes as many as these.
 */
final class WriteBatch implements ChannelOutboundBuffer.MessageProcessor {
  /** Messages of less than this are gathered, up to as many bytes. */
  private static final int MAX_BYTES = 64 * 1024;

  private final ByteBuf bytes;

  private WriteBatch(ByteBuf bytes) {
    this.bytes = bytes;
  }

  /**
   * Gathers from {@code out}.
   *
   * @param first the first message there
   */
  static ByteBuf from(ChannelOutboundBuffer out, ByteBuf first, ByteBufAllocator allocator) {
    if (first.readableBytes() >= MAX_BYTES || out.size() == 1) {
      return first.retainedSlice();
    }
    WriteBatch gathered = new WriteBatch(allocator.buffer());
    try {
      out.forEachFlushedMessage(gathered);
    } catch (Exception e) {
      gathered.bytes.release();
      throw new IllegalStateException("gathering what was flushed cannot fail", e);
    }
    return gathered.bytes;
  }

  @Override
  public boolean processMessage(Object message) {
    ByteBuf next = (ByteBuf) message;
    if (bytes.isReadable() && bytes.readableBytes() + next.readableBytes() > MAX_BYTES) {
      return false;
    }
    bytes.writeBytes(next, next.readerIndex(), next.readableBytes());
    return true;
  }
}
