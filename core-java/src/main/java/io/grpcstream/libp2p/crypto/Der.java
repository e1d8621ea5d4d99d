package io.grpcstream.libp2p.crypto;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.util.Arrays;

/**
 * The little of ASN.1 DER (X.690 section 10) that keys and ECDSA signatures need: definite lengths
 * in the fewest bytes, one-byte tags. A reader goes through one value's content from left to right;
 * it never recurses and allocates no more than the input holds.
 */
final class Der {
  static final int INTEGER = 0x02;
  static final int BIT_STRING = 0x03;
  static final int OCTET_STRING = 0x04;
  static final int OID = 0x06;
  static final int SEQUENCE = 0x30;

  private final String what;
  private final byte[] bytes;
  private final int end;
  private int at;

  private Der(String what, byte[] bytes, int from, int to) {
    this.what = what;
    this.bytes = bytes;
    this.at = from;
    this.end = to;
  }

  /** A reader of {@code bytes}; {@code what} stands before the text of its errors. */
  static Der reader(String what, byte[] bytes) {
    return new Der(what, bytes, 0, bytes.length);
  }

  /** The tag of the next value, or -1 at the end. */
  int peek() {
    return at < end ? bytes[at] & 0xff : -1;
  }

  /** A reader of the content of the next value, which must have that tag. */
  Der enter(int tag) {
    int found = peek();
    if (found != tag) {
      throw error(String.format("tag 0x%02x expected, found %s", tag, hex(found)));
    }
    at++;
    int length = length();
    Der content = new Der(what, bytes, at, at + length);
    at += length;
    return content;
  }

  private static String hex(int tag) {
    return tag < 0 ? "the end" : String.format("0x%02x", tag);
  }

  private int length() {
    int first = octet();
    if (first < 0x80) {
      return checkLength(first);
    }
    int count = first & 0x7f;
    if (count < 1 || count > 2) {
      throw error("a length of " + count + " bytes");
    }
    int length = 0;
    for (int i = 0; i < count; i++) {
      length = (length << 8) | octet();
    }
    if (length < (count == 1 ? 0x80 : 0x100)) {
      throw error("a length in more bytes than it needs");
    }
    return checkLength(length);
  }

  private int checkLength(int length) {
    if (length > end - at) {
      throw error("a length of " + length + " with " + (end - at) + " bytes left");
    }
    return length;
  }

  private int octet() {
    if (at == end) {
      throw error("cut short");
    }
    return bytes[at++] & 0xff;
  }

  /** The next value, an integer, which must not be negative. */
  BigInteger unsigned() {
    byte[] content = enter(INTEGER).rest();
    boolean padded = content.length > 1 && content[0] == 0 && content[1] >= 0;
    if (content.length == 0 || content[0] < 0 || padded) {
      throw error("an integer that is empty, negative or padded");
    }
    return new BigInteger(content);
  }

  /** The next value, a bit string of whole bytes. */
  byte[] bitString() {
    Der content = enter(BIT_STRING);
    if (content.octet() != 0) {
      throw error("a bit string that does not end with a whole byte");
    }
    return content.rest();
  }

  /** All that is left. */
  byte[] rest() {
    byte[] rest = Arrays.copyOfRange(bytes, at, end);
    at = end;
    return rest;
  }

  /** Fails unless all has been read. */
  void end() {
    if (at != end) {
      throw error((end - at) + " bytes too many");
    }
  }

  private KeyFormatException error(String found) {
    return new KeyFormatException(what + ": malformed DER at byte " + at + ": " + found);
  }

  /** A value with that tag and the content {@code parts} one after the other. */
  static byte[] write(int tag, byte[]... parts) {
    int length = 0;
    for (byte[] part : parts) {
      length += part.length;
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream(length + 4);
    out.write(tag);
    if (length >= 0x100) {
      out.write(0x82);
      out.write(length >> 8);
    } else if (length >= 0x80) {
      out.write(0x81);
    }
    out.write(length);
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }

  static byte[] writeInteger(BigInteger value) {
    return write(INTEGER, value.toByteArray());
  }

  static byte[] writeBitString(byte[] content) {
    return write(BIT_STRING, new byte[1], content);
  }
}
