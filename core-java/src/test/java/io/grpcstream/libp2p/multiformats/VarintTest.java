package io.grpcstream.libp2p.multiformats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class VarintTest {
  /** The examples of the unsigned-varint specification, and its largest number. */
  @ParameterizedTest
  @CsvSource({
    "0,00",
    "1,01",
    "127,7f",
    "128,8001",
    "255,ff01",
    "300,ac02",
    "16384,808001",
    "9223372036854775807,ffffffffffffffff7f"
  })
  void numberIsWrittenAndReadAsInTheSpec(long value, String hex) {
    byte[] bytes = HexFormat.of().parseHex(hex);
    ByteBuf buffer = Unpooled.buffer();
    Varint.write(buffer, value);
    ByteArrayOutputStream stream = new ByteArrayOutputStream();
    Varint.write(stream, value);

    assertThat(Varint.size(value)).isEqualTo(bytes.length);
    assertThat(stream.toByteArray()).isEqualTo(bytes);
    assertThat(buffer).isEqualTo(Unpooled.wrappedBuffer(bytes));
    assertThat(Varint.tryRead(buffer)).isEqualTo(value);
    assertThat(buffer.readableBytes()).isZero();
    assertThat(Varint.read(ByteBuffer.wrap(bytes))).isEqualTo(value);
  }

  @Test
  void numberThatHasNotArrivedIsLeftWhereItIs() {
    ByteBuf buffer = Unpooled.buffer().writeByte(7).writeByte(0x80).writeByte(0x80);
    buffer.skipBytes(1);

    assertThat(Varint.tryRead(buffer)).isEqualTo(Varint.INCOMPLETE);
    assertThat(buffer.readerIndex()).isEqualTo(1);
    buffer.writeByte(1).writeByte(9);
    assertThat(Varint.tryRead(buffer)).isEqualTo(16_384);
    assertThat(buffer.readableBytes()).isEqualTo(1);
    assertThat(Varint.tryRead(Unpooled.EMPTY_BUFFER)).isEqualTo(Varint.INCOMPLETE);
  }

  @ParameterizedTest
  @ValueSource(strings = {"8000", "818000", "ffffffffffffffffff01", "808080808080808080"})
  void numberThatIsTooLongOrPaddedIsRefused(String hex) {
    byte[] bytes = HexFormat.of().parseHex(hex);

    assertThatIllegalArgumentException().isThrownBy(() -> Varint.read(ByteBuffer.wrap(bytes)));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Varint.tryRead(Unpooled.wrappedBuffer(bytes)));
  }

  @Test
  void limitIsSeenBeforeTheEndArrives() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Varint.tryRead(Unpooled.wrappedBuffer(new byte[] {-1, -1}), 2))
        .withMessage("varint longer than 2 bytes");
    assertThat(Varint.tryRead(Unpooled.wrappedBuffer(new byte[] {-1, 1}), 2)).isEqualTo(255);
  }

  @Test
  void negativeNumbersAndMissingBytesAreRefused() {
    assertThatIllegalArgumentException().isThrownBy(() -> Varint.size(-1));
    assertThatIllegalArgumentException().isThrownBy(() -> Varint.write(Unpooled.EMPTY_BUFFER, -1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Varint.read(ByteBuffer.wrap(new byte[] {-1})))
        .withMessage("varint cut short after 1 bytes");
  }

  @Test
  void randomNumbersReadBack() {
    Random random = new Random(20_251_121);
    for (int i = 0; i < 10_000; i++) {
      long value = random.nextLong() >>> (1 + random.nextInt(63));
      ByteBuf buffer = Unpooled.buffer();
      Varint.write(buffer, value);
      assertThat(buffer.readableBytes()).isEqualTo(Varint.size(value));
      assertThat(Varint.tryRead(buffer)).isEqualTo(value);
    }
  }
}
