package io.grpcstream.libp2p.multiformats;

/**
 * Base 32 of RFC 4648 section 6 without padding, multibase prefixes {@code b} and {@code B}:
 * written in lower case, read in either.
 */
public final class Base32 {
  /** The longest text that {@link #decode} accepts, in characters. */
  public static final int MAX_CHARS = 256;

  private static final String ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

  private Base32() {}

  /** The lower-case text of {@code bytes}. */
  public static String encode(byte[] bytes) {
    StringBuilder text = new StringBuilder((bytes.length * 8 + 4) / 5);
    int pending = 0;
    int bits = 0;
    for (byte b : bytes) {
      pending = ((pending << 8) | (b & 0xff)) & 0xfff;
      bits += 8;
      while (bits >= 5) {
        bits -= 5;
        text.append(ALPHABET.charAt((pending >>> bits) & 31));
      }
    }
    if (bits > 0) {
      text.append(ALPHABET.charAt((pending << (5 - bits)) & 31));
    }
    return text.toString();
  }

  /**
   * The bytes of {@code text}.
   *
   * @throws IllegalArgumentException if it is longer than {@value #MAX_CHARS} characters, holds a
   *     character outside the alphabet, or ends in bits that stand for no byte
   */
  public static byte[] decode(String text) {
    if (text.length() > MAX_CHARS) {
      throw new IllegalArgumentException(
          "base32: " + text.length() + " characters, limit " + MAX_CHARS);
    }
    byte[] bytes = new byte[text.length() * 5 / 8];
    int pending = 0;
    int bits = 0;
    int count = 0;
    for (int i = 0; i < text.length(); i++) {
      pending = ((pending << 5) | digit(text, i)) & 0xfff;
      bits += 5;
      if (bits >= 8) {
        bits -= 8;
        bytes[count++] = (byte) (pending >>> bits);
      }
    }
    if (bits >= 5 || (pending & ((1 << bits) - 1)) != 0) {
      throw new IllegalArgumentException(
          "base32: " + text.length() + " characters end in bits that stand for no byte");
    }
    return bytes;
  }

  private static int digit(String text, int index) {
    char c = text.charAt(index);
    if (c >= 'a' && c <= 'z') {
      return c - 'a';
    } else if (c >= 'A' && c <= 'Z') {
      return c - 'A';
    } else if (c >= '2' && c <= '7') {
      return c - '2' + 26;
    }
    throw new IllegalArgumentException(
        "base32: " + Quote.of(c) + " at position " + (index + 1) + " is not a digit");
  }
}
