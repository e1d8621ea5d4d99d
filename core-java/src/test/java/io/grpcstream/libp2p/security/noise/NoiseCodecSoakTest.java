package io.grpcstream.libp2p.security.noise;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.security.noise.NoiseFixture.End;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random sizes, flushes and fragments: the same bytes, in order, and nothing kept. */
class NoiseCodecSoakTest {
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void bytesPromisesAndBuffersComeOutRight(long seed) {
    Random random = new Random(seed);
    NoiseCodec[] codecs = NoiseFixture.codecs();
    End sender = new End(codecs[0]);
    End receiver = new End(codecs[1]);
    ByteArrayOutputStream expected = new ByteArrayOutputStream();
    List<Integer> completed = new ArrayList<>();
    int writes = 400;

    for (int i = 0; i < writes; i++) {
      byte[] bytes = new byte[size(random)];
      random.nextBytes(bytes);
      expected.writeBytes(bytes);
      int number = i;
      ChannelFuture written = sender.channel.write(buffer(sender, random, bytes));
      written.addListener(
          f -> {
            assertThat(f.isSuccess()).isTrue();
            completed.add(number);
          });
      if (random.nextInt(5) == 0) {
        sender.channel.flush();
        fragment(sender.sent(), receiver, random);
      }
    }
    sender.channel.flush();
    fragment(sender.sent(), receiver, random);

    assertThat(receiver.failures).isEmpty();
    assertThat(Arrays.equals(receiver.received.toByteArray(), expected.toByteArray())).isTrue();
    assertThat(completed).hasSize(writes).isSorted();
    assertThat(sender.held()).isZero();
    assertThat(receiver.held()).isZero();
    sender.channel.finishAndReleaseAll();
    receiver.channel.finishAndReleaseAll();
  }

  private static int size(Random random) {
    return switch (random.nextInt(10)) {
      case 0 -> 0;
      case 1 -> random.nextInt(300_000);
      case 2 -> NoiseCodec.MAX_PLAINTEXT - 1 + random.nextInt(3);
      default -> random.nextInt(2_000);
    };
  }

  private static ByteBuf buffer(End end, Random random, byte[] bytes) {
    int offset = random.nextInt(8);
    ByteBuf buffer =
        random.nextBoolean()
            ? end.channel.alloc().heapBuffer(offset + bytes.length)
            : end.channel.alloc().directBuffer(offset + bytes.length);
    return buffer.writeZero(offset).writeBytes(bytes).skipBytes(offset);
  }

  private static void fragment(byte[] wire, End receiver, Random random) {
    int limit = 1 << random.nextInt(19);
    for (int i = 0; i < wire.length; ) {
      int n = Math.min(wire.length - i, 1 + random.nextInt(limit));
      n = Math.max(n, Math.min(wire.length - i, wire.length / 2_000));
      receiver.receive(Arrays.copyOfRange(wire, i, i + n));
      i += n;
    }
  }
}
