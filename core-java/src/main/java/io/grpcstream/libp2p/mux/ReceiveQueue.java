package io.grpcstream.libp2p.mux;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of one stream that arrived and were not yet read. Owns its buffers. Used on the event
 * loop only.
 *
 * <p>Bytes arrive as slices that keep the whole decrypted buffer alive: right while they are read
 * at once, wrong when they must wait, because one byte could pin 64 KiB. So what is left after a
 * turn is {@linkplain #settle settled}: a slice is kept only if it is at least 4 KiB and at least
 * half of the buffer it keeps alive, and everything else is copied into chunks that double as they
 * fill, to 16 KiB. A kept slice costs at most twice its bytes; a chunk at most twice its bytes but
 * never less than 256; and a chunk is followed by another entry only when it is full or the next is
 * a slice of 4 KiB. So a queue of {@code n} bytes holds at most 2.25 n + 1 KiB of memory, also when
 * the n bytes came in n frames.
 */
public final class ReceiveQueue {
  private static final int MIN_KEPT_SLICE = 4096;
  private static final int MIN_CHUNK = 256;
  private static final int MAX_CHUNK = 16 * 1024;

  // Small at first, since most streams are idle; they grow with what they have to hold.
  private final Deque<ByteBuf> settled = new ArrayDeque<>(1);
  private final Deque<ByteBuf> arrived = new ArrayDeque<>(1);
  private final ByteBufAllocator alloc;

  /** The last settled buffer if it is a chunk of ours that can take more. */
  private @Nullable ByteBuf chunk;

  /** An empty queue, whose copies come from {@code alloc}. */
  public ReceiveQueue(ByteBufAllocator alloc) {
    this.alloc = alloc;
  }

  /** Bytes of memory that a slice of {@code buffer} keeps alive. */
  public static int pinnedBytes(ByteBuf buffer) {
    ByteBuf root = buffer;
    while (root.unwrap() != null) {
      root = root.unwrap();
    }
    return root.capacity();
  }

  /** Takes over a non-empty slice that has just arrived. */
  public void add(ByteBuf slice) {
    arrived.add(slice);
  }

  /** The next buffer, now the caller's, or null if nothing waits. */
  public @Nullable ByteBuf poll() {
    ByteBuf next = settled.poll();
    if (next == null) {
      return arrived.poll();
    }
    if (next == chunk) {
      chunk = null;
    }
    return next;
  }

  /** Whether nothing waits. */
  public boolean isEmpty() {
    return settled.isEmpty() && arrived.isEmpty();
  }

  /**
   * Makes what has arrived fit to wait.
   *
   * @param pinnedBytes the {@link #pinnedBytes(ByteBuf)} of the buffer that they are slices of
   */
  public void settle(int pinnedBytes) {
    for (ByteBuf slice = arrived.poll(); slice != null; slice = arrived.poll()) {
      int bytes = slice.readableBytes();
      if (bytes >= MIN_KEPT_SLICE && bytes >= pinnedBytes / 2) {
        settled.add(slice);
        chunk = null;
      } else {
        copy(slice);
        slice.release();
      }
    }
  }

  private void copy(ByteBuf slice) {
    while (slice.isReadable()) {
      if (chunk == null || chunk.maxWritableBytes() == 0) {
        chunk =
            alloc.buffer(
                Math.min(MAX_CHUNK, Math.max(MIN_CHUNK, slice.readableBytes())), MAX_CHUNK);
        settled.add(chunk);
      }
      chunk.writeBytes(slice, Math.min(slice.readableBytes(), chunk.maxWritableBytes()));
    }
  }

  /** Releases everything. */
  public void clear() {
    for (ByteBuf next = poll(); next != null; next = poll()) {
      next.release();
    }
  }
}
