package io.grpcstream.libp2p.multiformats;

import java.util.Arrays;

/**
 * Bytes as one big number in a radix that is no power of two: base58btc and base36. Leading zero
 * bytes become leading zero digits. Both ways take time quadratic in the length, so the length is
 * capped: a peer id, the longest thing written so, takes 53 characters in base58btc.
 *
 * @see <a href="https://github.com/multiformats/multibase">multibase</a>
 */
public final class RadixEncoding {
  /** The longest text that {@link #decode} accepts, in characters. */
  public static final int MAX_CHARS = 128;

  /** The longest input that {@link #encode} accepts, in bytes. */
  public static final int MAX_BYTES = 96;

  /** Bitcoin's base 58, multibase prefix {@code z}; upper and lower case differ. */
  public static final RadixEncoding BASE58BTC =
      new RadixEncoding(
          "base58btc", "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", false);

  /** Base 36, multibase prefix {@code k}; written in lower case, read in either. */
  public static final RadixEncoding BASE36 =
      new RadixEncoding("base36", "0123456789abcdefghijklmnopqrstuvwxyz", true);

  private final String name;
  private final char[] alphabet;
  private final byte[] digits = new byte[128];

  private RadixEncoding(String name, String alphabet, boolean ignoreCase) {
    this.name = name;
    this.alphabet = alphabet.toCharArray();
    Arrays.fill(digits, (byte) -1);
    for (int i = 0; i < this.alphabet.length; i++) {
      digits[this.alphabet[i]] = (byte) i;
      if (ignoreCase) {
        digits[Character.toUpperCase(this.alphabet[i])] = (byte) i;
      }
    }
  }

  /**
   * The text of {@code bytes}.
   *
   * @throws IllegalArgumentException if there are more than {@value #MAX_BYTES} bytes
   */
  public String encode(byte[] bytes) {
    if (bytes.length > MAX_BYTES) {
      throw new IllegalArgumentException(
          name + ": " + bytes.length + " bytes to encode, limit " + MAX_BYTES);
    }
    int zeros = 0;
    while (zeros < bytes.length && bytes[zeros] == 0) {
      zeros++;
    }
    StringBuilder reversed = new StringBuilder();
    byte[] number = Arrays.copyOfRange(bytes, zeros, bytes.length);
    for (int start = 0; start < number.length; ) {
      reversed.append(alphabet[divide(number, start)]);
      if (number[start] == 0) {
        start++;
      }
    }
    // A division need not empty the leading byte, so the last digits may be zeros that stand for
    // nothing.
    int end = reversed.length();
    while (end > 0 && reversed.charAt(end - 1) == alphabet[0]) {
      end--;
    }
    reversed.setLength(end);
    for (int i = 0; i < zeros; i++) {
      reversed.append(alphabet[0]);
    }
    return reversed.reverse().toString();
  }

  /** Divides the big-endian {@code number} by the radix in place and returns the remainder. */
  private int divide(byte[] number, int start) {
    int remainder = 0;
    for (int i = start; i < number.length; i++) {
      int part = (remainder << 8) | (number[i] & 0xff);
      number[i] = (byte) (part / alphabet.length);
      remainder = part % alphabet.length;
    }
    return remainder;
  }

  /**
   * The bytes of {@code text}.
   *
   * @throws IllegalArgumentException if it is longer than {@value #MAX_CHARS} characters or holds a
   *     character outside the alphabet
   */
  public byte[] decode(String text) {
    if (text.length() > MAX_CHARS) {
      throw new IllegalArgumentException(
          name + ": " + text.length() + " characters, limit " + MAX_CHARS);
    }
    int zeros = 0;
    while (zeros < text.length() && text.charAt(zeros) == alphabet[0]) {
      zeros++;
    }
    byte[] number = new byte[text.length()]; // a digit holds less than a byte
    int start = number.length;
    for (int i = zeros; i < text.length(); i++) {
      int carry = digit(text, i);
      for (int j = number.length - 1; j >= start || carry != 0; j--) {
        carry += (number[j] & 0xff) * alphabet.length;
        number[j] = (byte) carry;
        carry >>>= 8;
        start = Math.min(start, j);
      }
    }
    byte[] bytes = new byte[zeros + number.length - start];
    System.arraycopy(number, start, bytes, zeros, number.length - start);
    return bytes;
  }

  private int digit(String text, int index) {
    char c = text.charAt(index);
    int digit = c < digits.length ? digits[c] : -1;
    if (digit < 0) {
      throw new IllegalArgumentException(
          name + ": " + Quote.of(c) + " at position " + (index + 1) + " is not a digit");
    }
    return digit;
  }
}
