package io.grpcstream.libp2p.multiformats;

import java.util.Arrays;

/**
 * IP addresses as text, strictly: no names, no short forms of IPv4, no zones, no brackets. The JDK
 * resolves what it cannot parse, and prints IPv6 uncompressed.
 */
public final class IpText {
  private static final int GROUPS = 8;

  private IpText() {}

  /**
   * The four bytes of a dotted-decimal IPv4 address.
   *
   * @throws IllegalArgumentException if {@code text} is none
   */
  public static byte[] parseIp4(String text) {
    byte[] address = new byte[4];
    int at = 0;
    for (int i = 0; i < 4; i++) {
      int end = i < 3 ? text.indexOf('.', at) : text.length();
      int part = end < 0 ? -1 : octet(text, at, end);
      if (part < 0) {
        throw new IllegalArgumentException("not an IPv4 address");
      }
      address[i] = (byte) part;
      at = end + 1;
    }
    return address;
  }

  /** The value of one to three digits up to 255 without a leading zero, else -1. */
  private static int octet(String text, int from, int to) {
    int length = to - from;
    if (length < 1 || length > 3 || (length > 1 && text.charAt(from) == '0')) {
      return -1;
    }
    int value = 0;
    for (int i = from; i < to; i++) {
      char c = text.charAt(i);
      if (c < '0' || c > '9') {
        return -1;
      }
      value = value * 10 + c - '0';
    }
    return value <= 255 ? value : -1;
  }

  /** Dotted decimal. */
  public static String formatIp4(byte[] address) {
    return (address[0] & 0xff)
        + "."
        + (address[1] & 0xff)
        + "."
        + (address[2] & 0xff)
        + "."
        + (address[3] & 0xff);
  }

  /**
   * The sixteen bytes of an IPv6 address in any form of RFC 4291 section 2.2.
   *
   * @throws IllegalArgumentException if {@code text} is none
   */
  public static byte[] parseIp6(String text) {
    int gap = text.indexOf("::");
    byte[] head = groups(gap < 0 ? text : text.substring(0, gap), gap < 0);
    byte[] tail = gap < 0 ? new byte[0] : groups(text.substring(gap + 2), true);
    boolean fits = gap < 0 ? head.length == 16 : head.length + tail.length <= 14;
    if (!fits) {
      throw new IllegalArgumentException("not an IPv6 address: it must have " + GROUPS + " groups");
    }
    byte[] address = Arrays.copyOf(head, 16);
    System.arraycopy(tail, 0, address, 16 - tail.length, tail.length);
    return address;
  }

  /** The bytes of groups between single colons; the last may be an IPv4 address if it may end. */
  private static byte[] groups(String text, boolean last) {
    if (text.isEmpty()) {
      return new byte[0];
    }
    String[] parts = text.split(":", -1);
    boolean endsInIp4 = last && parts[parts.length - 1].indexOf('.') >= 0;
    int length = parts.length * 2 + (endsInIp4 ? 2 : 0);
    if (length > 16) {
      throw new IllegalArgumentException("not an IPv6 address: more than " + GROUPS + " groups");
    }
    byte[] bytes = new byte[length];
    int plain = endsInIp4 ? parts.length - 1 : parts.length;
    for (int i = 0; i < plain; i++) {
      int group = group(parts[i]);
      bytes[2 * i] = (byte) (group >> 8);
      bytes[2 * i + 1] = (byte) group;
    }
    if (endsInIp4) {
      System.arraycopy(parseIp4(parts[plain]), 0, bytes, 2 * plain, 4);
    }
    return bytes;
  }

  private static int group(String text) {
    int value = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      int digit = c < 128 ? Character.digit(c, 16) : -1;
      value = digit < 0 ? -1 : value * 16 + digit;
      if (value < 0) {
        break;
      }
    }
    if (text.isEmpty() || text.length() > 4 || value < 0) {
      throw new IllegalArgumentException(
          "not an IPv6 address: group " + Quote.of(text) + " is not 1 to 4 hexadecimal digits");
    }
    return value;
  }

  /** The text of RFC 5952, with the dotted form for IPv4-mapped addresses (its section 5). */
  public static String formatIp6(byte[] address) {
    if (isIp4Mapped(address)) {
      return "::ffff:" + formatIp4(Arrays.copyOfRange(address, 12, 16));
    }
    int gapStart = -1;
    int gapLength = 1; // section 4.2.2: one zero group alone is not shortened
    for (int i = 0; i < GROUPS; i++) {
      int zeros = 0;
      while (i + zeros < GROUPS && groupAt(address, i + zeros) == 0) {
        zeros++;
      }
      if (zeros > gapLength) {
        gapStart = i;
        gapLength = zeros;
      }
    }
    StringBuilder text = new StringBuilder(39);
    for (int i = 0; i < GROUPS; i++) {
      if (i == gapStart) {
        text.append("::");
        i += gapLength - 1;
        continue;
      }
      if (i > 0 && text.charAt(text.length() - 1) != ':') {
        text.append(':');
      }
      text.append(Integer.toHexString(groupAt(address, i)));
    }
    return text.toString();
  }

  private static int groupAt(byte[] address, int index) {
    return ((address[2 * index] & 0xff) << 8) | (address[2 * index + 1] & 0xff);
  }

  private static boolean isIp4Mapped(byte[] address) {
    for (int i = 0; i < 10; i++) {
      if (address[i] != 0) {
        return false;
      }
    }
    return groupAt(address, 5) == 0xffff;
  }
}
