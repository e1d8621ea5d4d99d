package io.grpcstream.libp2p.transport.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.testing.Race;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class MemoryPipeRaceTest {
  private static final int ROUNDS = 300;
  private static final byte[] CONTENT = new byte[2 * MemoryPipe.CAPACITY + 12_345];

  static {
    new Random(1).nextBytes(CONTENT);
  }

  private final Race race = new Race(2);

  @AfterEach
  void close() {
    race.close();
  }

  /** Writes all, waiting for its callback when the pipe is full; false if the reader left. */
  private static boolean writeAll(MemoryPipe pipe, ByteBuf source) throws InterruptedException {
    Semaphore writable = new Semaphore(0);
    while (source.isReadable()) {
      int count = pipe.write(source, writable::release);
      if (count < 0) {
        return false;
      }
      source.skipBytes(count);
      if (count == 0) {
        writable.acquire();
      }
    }
    return true;
  }

  /** Reads until {@code limit} bytes or the end, waiting for its callback when there is nothing. */
  private static byte[] read(MemoryPipe pipe, int limit, int piece) throws InterruptedException {
    ByteBuf target = Unpooled.buffer(CONTENT.length + piece);
    Semaphore readable = new Semaphore(0);
    int count = 0;
    while (count >= 0 && target.readableBytes() < limit) {
      ByteBuf part = Unpooled.buffer(piece, piece);
      count = pipe.read(part);
      target.writeBytes(part);
      part.release();
      if (count == 0) {
        pipe.whenReadable(readable::release);
        readable.acquire();
      }
    }
    byte[] bytes = new byte[target.readableBytes()];
    target.readBytes(bytes).release();
    return bytes;
  }

  @Test
  @DisplayName("A reader and a writer that wait for each other's callbacks pass all bytes on")
  void noCallbackIsLost() throws Exception {
    Random sizes = new Random(2);
    for (int round = 0; round < ROUNDS; round++) {
      MemoryPipe pipe = new MemoryPipe();
      int piece = 1_000 + sizes.nextInt(MemoryPipe.CAPACITY);
      ByteBuf source = Unpooled.copiedBuffer(CONTENT);
      List<byte[]> found =
          race.run(
              List.<Callable<byte[]>>of(
                  () -> {
                    writeAll(pipe, source);
                    pipe.closeWriter();
                    return CONTENT;
                  },
                  () -> read(pipe, Integer.MAX_VALUE, piece)));
      assertThat(Arrays.equals(found.get(1), CONTENT)).as("what came is what was sent").isTrue();
      assertThat(source.refCnt()).as("the pipe's slices are released").isEqualTo(1);
      source.release();
    }
  }

  @Test
  @DisplayName("A reader that leaves ends a writer that waits, and nothing stays in the pipe")
  void readerLeaves() throws Exception {
    Random sizes = new Random(3);
    for (int round = 0; round < ROUNDS; round++) {
      MemoryPipe pipe = new MemoryPipe();
      int limit = sizes.nextInt(MemoryPipe.CAPACITY);
      ByteBuf source = Unpooled.copiedBuffer(CONTENT);
      List<Boolean> found =
          race.run(
              List.<Callable<Boolean>>of(
                  () -> writeAll(pipe, source),
                  () -> {
                    byte[] bytes = read(pipe, limit, 1_000);
                    pipe.closeReader();
                    return Arrays.equals(bytes, Arrays.copyOf(CONTENT, bytes.length));
                  }));
      assertThat(found)
          .as("whether all was written, whether what came is right")
          .containsExactly(false, true);
      assertThat(source.refCnt()).as("the pipe's slices are released").isEqualTo(1);
      source.release();
    }
  }
}
