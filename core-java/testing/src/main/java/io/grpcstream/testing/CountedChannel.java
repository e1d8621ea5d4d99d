package io.grpcstream.testing;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;

/** A channel without a network that knows whether every buffer made for it was released. */
public final class CountedChannel extends EmbeddedChannel {
  private final UnpooledByteBufAllocator buffers = new UnpooledByteBufAllocator(false);

  /** An open channel with an empty pipeline, whose clock stands. */
  public CountedChannel() {
    config().setAllocator(buffers);
    freezeTime();
  }

  /**
   * Lets {@code bytes} arrive in pieces, as a network may cut them: the first byte says how long
   * the pieces are, the rest is what arrives. What comes after the channel has closed is dropped.
   */
  public void arrive(byte[] bytes) {
    if (bytes.length == 0) {
      return;
    }
    int piece = 1 + (bytes[0] & 0xff);
    for (int from = 1; from < bytes.length && isOpen(); from += piece) {
      int length = Math.min(piece, bytes.length - from);
      writeInbound(buffers.buffer(length).writeBytes(bytes, from, length));
      runPendingTasks();
    }
  }

  /** Loses it, as a connection is lost, and fails if a buffer is left. */
  public void end() {
    unsafe().close(voidPromise()); // Past the pipeline, where handlers may say farewell first.
    runPendingTasks();
    finishAndReleaseAll();
    runPendingTasks();
    assertThat(buffers.metric().usedHeapMemory() + buffers.metric().usedDirectMemory())
        .as("bytes that were not released")
        .isZero();
  }
}
