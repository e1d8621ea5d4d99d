package io.grpcstream.libp2p.transport.memory;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * One direction of a memory connection: a bounded queue of bytes between a writing and a reading
 * event loop. Thread-safe.
 *
 * <p>Neither side polls. A side that finds the pipe full (or empty) leaves a callback, which the
 * other side runs once, outside the lock, when that changes.
 */
final class MemoryPipe {
  /** What one direction holds before its writer must wait: 256 KiB, as a socket's buffer would. */
  static final int CAPACITY = 256 << 10;

  @GuardedBy("this")
  private final Queue<ByteBuf> buffers = new ArrayDeque<>();

  @GuardedBy("this")
  private int bytes;

  @GuardedBy("this")
  private boolean writerClosed;

  @GuardedBy("this")
  private boolean readerClosed;

  @GuardedBy("this")
  private @Nullable Runnable whenReadable;

  @GuardedBy("this")
  private @Nullable Runnable whenWritable;

  /**
   * Takes as much of {@code source} as there is room for, by a retained slice; {@code source}'s
   * indices stay.
   *
   * @param whenWritable kept, and run once there is much room again, if the pipe is full
   * @return the number of bytes taken, or -1 if the reader is gone
   */
  int write(ByteBuf source, Runnable whenWritable) {
    Runnable wake;
    int count;
    synchronized (this) {
      if (readerClosed || writerClosed) {
        return -1;
      }
      count = Math.min(source.readableBytes(), CAPACITY - bytes);
      if (count == 0) {
        this.whenWritable = whenWritable;
        return 0;
      }
      buffers.add(source.retainedSlice(source.readerIndex(), count));
      bytes += count;
      wake = takeWhenReadable();
    }
    run(wake);
    return count;
  }

  /**
   * Copies bytes into the free space of {@code target}, as many as there are and fit. It copies
   * because a writer may have kept a reference to its buffer, and the reader must own its own.
   *
   * @return the number of bytes copied; 0 if there are none now; -1 at the end
   */
  int read(ByteBuf target) {
    Runnable wake = null;
    int count = 0;
    synchronized (this) {
      ByteBuf head;
      while (target.isWritable() && (head = buffers.peek()) != null) {
        int part = Math.min(head.readableBytes(), target.writableBytes());
        target.writeBytes(head, part);
        count += part;
        if (!head.isReadable()) {
          buffers.remove().release();
        }
      }
      bytes -= count;
      if (count == 0 && writerClosed) {
        return -1;
      }
      if (bytes <= CAPACITY / 2) {
        wake = takeWhenWritable();
      }
    }
    run(wake);
    return count;
  }

  /** Runs {@code callback} once there is something to read, an end included: at once, or later. */
  void whenReadable(Runnable callback) {
    synchronized (this) {
      if (bytes == 0 && !writerClosed) {
        whenReadable = callback;
        return;
      }
    }
    callback.run();
  }

  /** The reader will find the end after what was written so far. */
  void closeWriter() {
    Runnable wake;
    synchronized (this) {
      writerClosed = true;
      whenWritable = null;
      wake = takeWhenReadable();
    }
    run(wake);
  }

  /** Drops what was not read; the writer's next write fails. */
  void closeReader() {
    Runnable wake;
    synchronized (this) {
      readerClosed = true;
      whenReadable = null;
      for (ByteBuf buffer = buffers.poll(); buffer != null; buffer = buffers.poll()) {
        buffer.release();
      }
      bytes = 0;
      wake = takeWhenWritable();
    }
    run(wake);
  }

  @GuardedBy("this")
  private @Nullable Runnable takeWhenReadable() {
    Runnable callback = whenReadable;
    whenReadable = null;
    return callback;
  }

  @GuardedBy("this")
  private @Nullable Runnable takeWhenWritable() {
    Runnable callback = whenWritable;
    whenWritable = null;
    return callback;
  }

  private static void run(@Nullable Runnable callback) {
    if (callback != null) {
      callback.run();
    }
  }
}
