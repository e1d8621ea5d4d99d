package io.grpcstream.libp2p.foreign;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * What another stack has still to send of the bytes it has taken. Stacks complete a write when they
 * have taken it, and queue it where nobody can look; but what they have sent they have read from
 * the buffer, or released with it. Used on the event loop only.
 */
final class UnsentBytes {
  private final Deque<ByteBuf> taken = new ArrayDeque<>();

  /**
   * Counts {@code bytes} from now on.
   *
   * @return what to hand over in their place, which owns them: a buffer that is not used again for
   *     other bytes once it is released
   */
  ByteBuf track(ByteBuf bytes, ByteBufAllocator allocator) {
    bytes(); // Forgets what is sent, so that there is no more here than the stack holds.
    ByteBuf tracked = allocator.compositeBuffer(1).addComponent(true, bytes);
    taken.add(tracked);
    return tracked;
  }

  /** How many bytes are still to be sent. */
  long bytes() {
    while (!taken.isEmpty() && left(taken.element()) == 0) {
      taken.remove();
    }
    return taken.stream().mapToLong(UnsentBytes::left).sum();
  }

  private static int left(ByteBuf tracked) {
    return tracked.refCnt() == 0 ? 0 : tracked.readableBytes();
  }
}
