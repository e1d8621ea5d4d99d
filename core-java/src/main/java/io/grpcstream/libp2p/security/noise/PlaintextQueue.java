package io.grpcstream.libp2p.security.noise;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.AbstractCoalescingBufferQueue;
import io.netty.channel.Channel;

/**
 * What was written and not yet encrypted; it counts for the channel's writability. Several small
 * buffers leave it as one, of the memory that the cipher takes.
 */
final class PlaintextQueue extends AbstractCoalescingBufferQueue {
  private final RecordCipher cipher;

  PlaintextQueue(Channel channel, RecordCipher cipher) {
    super(channel, 16);
    this.cipher = cipher;
  }

  @Override
  protected ByteBuf composeFirst(ByteBufAllocator alloc, ByteBuf first, int bufferSize) {
    ByteBuf gathered = cipher.newBuffer(alloc, bufferSize, bufferSize);
    try {
      return gathered.writeBytes(first);
    } finally {
      first.release();
    }
  }

  @Override
  protected ByteBuf compose(ByteBufAllocator alloc, ByteBuf gathered, ByteBuf next) {
    try {
      // An empty buffer may follow one that was complete alone, which is not ours to write to.
      return next.isReadable() ? gathered.writeBytes(next) : gathered;
    } finally {
      next.release();
    }
  }

  @Override
  protected ByteBuf removeEmptyValue() {
    return Unpooled.EMPTY_BUFFER;
  }
}
