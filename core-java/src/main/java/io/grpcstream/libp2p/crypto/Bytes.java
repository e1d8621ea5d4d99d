package io.grpcstream.libp2p.crypto;

import java.math.BigInteger;

/** Byte arrays put together. */
final class Bytes {
  private Bytes() {}

  static byte[] concat(byte[] a, byte[] b) {
    byte[] both = new byte[a.length + b.length];
    System.arraycopy(a, 0, both, 0, a.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  /** {@code value}, not negative and small enough, in exactly {@code length} bytes. */
  static byte[] fixed(BigInteger value, int length) {
    byte[] minimal = value.toByteArray(); // may start with a sign byte of zero
    int from = Math.max(0, minimal.length - length);
    byte[] fixed = new byte[length];
    System.arraycopy(minimal, from, fixed, length - (minimal.length - from), minimal.length - from);
    return fixed;
  }
}
