package io.grpcstream.libp2p;

import io.grpcstream.libp2p.multiformats.IpText;
import io.grpcstream.libp2p.multiformats.Multibase;
import io.grpcstream.libp2p.multiformats.Varint;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The ways in which a multiaddr component writes its value, as text and as bytes. */
enum MultiaddrValue {
  /** IPv4, dotted decimal. */
  IP4(4) {
    @Override
    byte[] parse(String text) {
      return IpText.parseIp4(text);
    }

    @Override
    String format(byte[] bytes) {
      return IpText.formatIp4(bytes);
    }
  },
  /** IPv6, printed as RFC 5952 recommends. */
  IP6(16) {
    @Override
    byte[] parse(String text) {
      return IpText.parseIp6(text);
    }

    @Override
    String format(byte[] bytes) {
      return IpText.formatIp6(bytes);
    }
  },
  /** A prefix length, one byte. */
  MASK(1) {
    @Override
    byte[] parse(String text) {
      return number(text, 1);
    }

    @Override
    String format(byte[] bytes) {
      return Integer.toString(bytes[0] & 0xff);
    }
  },
  /** A port, two bytes. */
  PORT(2) {
    @Override
    byte[] parse(String text) {
      return number(text, 2);
    }

    @Override
    String format(byte[] bytes) {
      return Integer.toString(ByteBuffer.wrap(bytes).getShort() & 0xffff);
    }
  },
  /** An unsigned 64-bit number, as go- and rust-libp2p write memory addresses. */
  NUMBER(8) {
    @Override
    byte[] parse(String text) {
      return number(text, 8);
    }

    @Override
    String format(byte[] bytes) {
      return Long.toUnsignedString(ByteBuffer.wrap(bytes).getLong());
    }
  },
  /** A host name or an IPv6 zone. */
  NAME(MultiaddrValue.VARIABLE) {
    @Override
    byte[] parse(String text) {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      if (!format(bytes).equals(text)) { // a lone surrogate becomes a question mark
        throw new IllegalArgumentException("a name that is not Unicode text");
      }
      return bytes;
    }

    @Override
    String format(byte[] bytes) {
      String name = new String(bytes, StandardCharsets.UTF_8);
      if (bytes.length == 0 || bytes.length > MAX_NAME_BYTES) {
        throw new IllegalArgumentException(
            "a name of " + bytes.length + " bytes, expected 1 to " + MAX_NAME_BYTES);
      }
      boolean odd = name.chars().anyMatch(c -> c == '/' || c <= ' ' || c == 0x7f || c == 0xfffd);
      if (odd) {
        throw new IllegalArgumentException(
            "a name with a slash, white space, a control character or malformed UTF-8");
      }
      return name;
    }
  },
  /** A peer id; printed in base58btc, read in any form that {@link PeerId#parse} knows. */
  PEER(MultiaddrValue.VARIABLE) {
    @Override
    byte[] parse(String text) {
      return PeerId.parse(text).bytes();
    }

    @Override
    String format(byte[] bytes) {
      return PeerId.fromBytes(bytes).toString();
    }
  },
  /** The multihash of a certificate; printed in base64url. */
  CERTHASH(MultiaddrValue.VARIABLE) {
    @Override
    byte[] parse(String text) {
      return checked(Multibase.decode(text));
    }

    @Override
    String format(byte[] bytes) {
      return Multibase.encodeBase64url(checked(bytes));
    }

    private byte[] checked(byte[] multihash) {
      ByteBuffer in = ByteBuffer.wrap(multihash);
      Varint.read(in); // any hash function will do
      long length = Varint.read(in);
      if (length != in.remaining() || length > MAX_HASH_BYTES) {
        throw new IllegalArgumentException(
            "a multihash length of " + length + " with " + in.remaining() + " bytes left");
      }
      return multihash;
    }
  };

  /** The length of values that carry their own, before them, as a varint. */
  static final int VARIABLE = -1;

  /** The longest host name (RFC 1035, section 2.3.4). */
  private static final int MAX_NAME_BYTES = 255;

  private static final int MAX_HASH_BYTES = 64;
  private static final int MAX_DIGITS = 20;

  private final int length;

  MultiaddrValue(int length) {
    this.length = length;
  }

  /** The number of bytes, or {@link #VARIABLE}. */
  int length() {
    return length;
  }

  /** The bytes for {@code text}; throws {@link IllegalArgumentException} if they are not there. */
  abstract byte[] parse(String text);

  /** The text for {@code bytes}, which have the right length if that is fixed. */
  abstract String format(byte[] bytes);

  /** An unsigned decimal number, big-endian in {@code bytes} bytes. */
  private static byte[] number(String text, int bytes) {
    boolean decimal = text.chars().allMatch(c -> c >= '0' && c <= '9');
    if (decimal && !text.isEmpty() && text.length() <= MAX_DIGITS) {
      BigInteger number = new BigInteger(text);
      if (number.bitLength() <= 8 * bytes) {
        byte[] wide = ByteBuffer.allocate(8).putLong(number.longValue()).array();
        return Arrays.copyOfRange(wide, 8 - bytes, 8);
      }
    }
    throw new IllegalArgumentException(
        "not a number from 0 to " + Long.toUnsignedString(-1L >>> (64 - 8 * bytes)));
  }
}
