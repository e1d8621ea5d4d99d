package io.grpcstream.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class MessageProgressTest {
  private final MessageProgress progress = new MessageProgress();

  private void add(int... bytes) {
    ByteBuf data = Unpooled.buffer();
    for (int b : bytes) {
      data.writeByte(b);
    }
    progress.add(data);
    assertThat(data.readableBytes()).isEqualTo(bytes.length);
  }

  @Test
  @DisplayName("Tells how much of a message has come and how much is missing")
  void tellsWhatHasComeAndIsMissing() {
    assertThat(progress.begun()).isZero();
    add(0, 0, 0);
    assertThat(progress.begun()).isEqualTo(3);
    assertThat(progress.missing()).isEqualTo(2);
    add(1, 2, 9, 9);
    assertThat(progress.begun()).isEqualTo(7);
    assertThat(progress.missing()).isEqualTo(256);
  }

  @Test
  void anEmptyMessageIsCompleteWithItsPrefix() {
    add(0, 0, 0, 0, 0);
    assertThat(progress.begun()).isZero();
    assertThat(progress.missing()).isZero();
  }

  @Test
  void aLengthIsUnsigned() {
    add(0, 0xFF, 0xFF, 0xFF, 0xFF, 1);
    assertThat(progress.begun()).isEqualTo(6);
    assertThat(progress.missing()).isEqualTo(0xFFFF_FFFEL);
  }

  @Test
  @DisplayName("Messages are followed however they are cut into frames")
  void messagesCutIntoAnyFrames() {
    Random random = new Random(1);
    ByteBuf all = Unpooled.buffer();
    for (int i = 0; i < 200; i++) {
      int length = random.nextInt(300);
      all.writeByte(i & 1).writeInt(length).writeZero(length);
    }
    all.writeByte(0).writeInt(100).writeZero(40);
    while (all.isReadable()) {
      progress.add(all.readSlice(Math.min(all.readableBytes(), random.nextInt(50))));
    }
    assertThat(progress.begun()).isEqualTo(45);
    assertThat(progress.missing()).isEqualTo(60);
  }
}
