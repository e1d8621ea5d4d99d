package io.grpcstream.libp2p.mux;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.ByteArrayOutputStream;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** That waiting bytes keep their order, and cost memory in proportion. */
class ReceiveQueueTest {
  private final UnpooledByteBufAllocator alloc = new UnpooledByteBufAllocator(false);
  private final ReceiveQueue queue = new ReceiveQueue(alloc);

  @Test
  @DisplayName("Bytes come out in order, whatever the sizes and when they are settled")
  void bytesComeOutInOrder() {
    Random random = new Random(7);
    ByteArrayOutputStream in = new ByteArrayOutputStream();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int i = 0; i < 3000; i++) {
      byte[] bytes = new byte[1 + random.nextInt(random.nextBoolean() ? 20 : 20_000)];
      random.nextBytes(bytes);
      in.writeBytes(bytes);
      queue.add(alloc.buffer(bytes.length).writeBytes(bytes));
      if (random.nextInt(3) == 0) {
        queue.settle(random.nextInt(40_000));
      }
      if (random.nextInt(4) == 0) {
        poll(out);
      }
    }
    while (!queue.isEmpty()) {
      poll(out);
    }
    assertThat(out.toByteArray()).isEqualTo(in.toByteArray());
    assertThat(alloc.metric().usedHeapMemory()).isZero();
  }

  @Test
  void aSmallPieceDoesNotKeepItsLargeBufferAlive() {
    ByteBuf large = alloc.buffer(65_536).writeZero(65_536);
    queue.add(large.readRetainedSlice(10));
    large.release();
    assertThat(alloc.metric().usedHeapMemory()).isEqualTo(65_536);
    queue.settle(65_536);
    assertThat(alloc.metric().usedHeapMemory()).isEqualTo(256);
    queue.clear();
    assertThat(alloc.metric().usedHeapMemory()).isZero();
  }

  @Test
  void aPieceOfHalfItsBufferIsKeptWithoutACopy() {
    ByteBuf buffer = alloc.buffer(8192).writeZero(8192);
    ByteBuf slice = buffer.readRetainedSlice(4096);
    buffer.release();
    queue.add(slice);
    queue.settle(8192);
    assertThat(queue.poll()).isSameAs(slice);
    slice.release();
    assertThat(alloc.metric().usedHeapMemory()).isZero();
  }

  @Test
  void anyMixOfPiecesStaysWithinTheStatedBound() {
    Random random = new Random(11);
    long queued = 0;
    while (queued < 262_144) {
      int capacity = 13 + random.nextInt(random.nextBoolean() ? 100 : 65_536);
      ByteBuf buffer = alloc.buffer(capacity, capacity).writeZero(capacity);
      int bytes = 1 + random.nextInt(capacity);
      queue.add(buffer.readRetainedSlice(bytes));
      buffer.release();
      queue.settle(capacity);
      queued += bytes;
      assertThat(alloc.metric().usedHeapMemory()).isLessThanOrEqualTo(queued * 9 / 4 + 1024);
    }
    queue.clear();
    assertThat(alloc.metric().usedHeapMemory()).isZero();
  }

  private void poll(ByteArrayOutputStream out) {
    ByteBuf next = queue.poll();
    if (next != null) {
      byte[] bytes = new byte[next.readableBytes()];
      next.readBytes(bytes).release();
      out.writeBytes(bytes);
    }
  }
}
