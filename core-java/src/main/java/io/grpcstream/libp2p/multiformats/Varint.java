package io.grpcstream.libp2p.multiformats;

import io.netty.buffer.ByteBuf;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;

/**
 * Unsigned varints as multiformats define them: seven bits a byte, least significant first, in the
 * fewest bytes that hold the value, and at most nine bytes (63 bits).
 *
 * @see <a href="https://github.com/multiformats/unsigned-varint">unsigned-varint</a>
 */
public final class Varint {
  /** What {@link #tryRead} returns while the varint has not arrived in full. */
  public static final long INCOMPLETE = -1;

  private static final int MAX_BYTES = 9;

  private Varint() {}

  /** The number of bytes {@code value} takes, 1 to 9. */
  public static int size(long value) {
    checkNotNegative(value);
    return Math.max(1, (Long.SIZE - Long.numberOfLeadingZeros(value) + 6) / 7);
  }

  /** Appends {@code value}, which must not be negative. */
  public static void write(ByteBuf out, long value) {
    checkNotNegative(value);
    long rest = value;
    while (rest > 0x7f) {
      out.writeByte((int) (rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    out.writeByte((int) rest);
  }

  /** Appends {@code value}, which must not be negative. */
  public static void write(ByteArrayOutputStream out, long value) {
    checkNotNegative(value);
    long rest = value;
    while (rest > 0x7f) {
      out.write((int) (rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    out.write((int) rest);
  }

  /**
   * Reads a varint and moves the buffer past it.
   *
   * @throws IllegalArgumentException if it is cut short, longer than nine bytes or not minimal
   */
  public static long read(ByteBuffer in) {
    long value = 0;
    for (int i = 0; i < MAX_BYTES; i++) {
      if (!in.hasRemaining()) {
        throw new IllegalArgumentException("varint cut short after " + i + " bytes");
      }
      byte b = in.get();
      value |= (b & 0x7fL) << (7 * i);
      if (b >= 0) {
        checkMinimal(b, i);
        return value;
      }
    }
    throw new IllegalArgumentException("varint longer than " + MAX_BYTES + " bytes");
  }

  /**
   * Reads a varint if it has arrived in full, and otherwise returns {@link #INCOMPLETE} and leaves
   * the reader index alone.
   *
   * @throws IllegalArgumentException as soon as it is seen to be longer than nine bytes or not
   *     minimal
   */
  public static long tryRead(ByteBuf in) {
    return tryRead(in, MAX_BYTES);
  }

  /**
   * As {@link #tryRead(ByteBuf)}, for varints that may take at most {@code maxBytes} bytes, 1 to 9:
   * a longer one is refused without waiting for its end.
   */
  public static long tryRead(ByteBuf in, int maxBytes) {
    int start = in.readerIndex();
    int available = in.readableBytes();
    long value = 0;
    for (int i = 0; i < maxBytes; i++) {
      if (i == available) {
        return INCOMPLETE;
      }
      byte b = in.getByte(start + i);
      value |= (b & 0x7fL) << (7 * i);
      if (b >= 0) {
        checkMinimal(b, i);
        in.readerIndex(start + i + 1);
        return value;
      }
    }
    throw new IllegalArgumentException("varint longer than " + maxBytes + " bytes");
  }

  private static void checkMinimal(byte last, int index) {
    if (last == 0 && index > 0) {
      throw new IllegalArgumentException(
          "varint of " + (index + 1) + " bytes is not minimal: its last byte is zero");
    }
  }

  private static void checkNotNegative(long value) {
    if (value < 0) {
      throw new IllegalArgumentException("varint must not be negative: " + value);
    }
  }
}
