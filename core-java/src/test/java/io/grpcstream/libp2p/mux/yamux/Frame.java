package io.grpcstream.libp2p.mux.yamux;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.StringJoiner;

/** A frame as the specification lays it out, written and read apart from the code under test. */
public record Frame(int version, int type, int flags, long streamId, long length, byte[] payload) {
  public static final int DATA = 0;
  public static final int WINDOW_UPDATE = 1;
  public static final int PING = 2;
  public static final int GO_AWAY = 3;
  public static final int SYN = 1;
  public static final int ACK = 2;
  public static final int FIN = 4;
  public static final int RST = 8;

  public static Frame data(int flags, long streamId, byte[] payload) {
    return new Frame(0, DATA, flags, streamId, payload.length, payload);
  }

  public static Frame data(int flags, long streamId, int bytes) {
    return data(flags, streamId, pattern(bytes));
  }

  public static Frame windowUpdate(int flags, long streamId, long credit) {
    return new Frame(0, WINDOW_UPDATE, flags, streamId, credit, new byte[0]);
  }

  public static Frame ping(int flags, long value) {
    return new Frame(0, PING, flags, 0, value, new byte[0]);
  }

  public static Frame goAway(long code) {
    return new Frame(0, GO_AWAY, 0, 0, code, new byte[0]);
  }

  public static byte[] pattern(int bytes) {
    byte[] pattern = new byte[bytes];
    for (int i = 0; i < bytes; i++) {
      pattern[i] = (byte) (i * 31 + (i >> 8));
    }
    return pattern;
  }

  public boolean has(int flag) {
    return (flags & flag) != 0;
  }

  public byte[] bytes() {
    return ByteBuffer.allocate(12 + payload.length)
        .put((byte) version)
        .put((byte) type)
        .putShort((short) flags)
        .putInt((int) streamId)
        .putInt((int) length)
        .put(payload)
        .array();
  }

  public static List<Frame> parse(byte[] bytes) {
    List<Frame> frames = new ArrayList<>();
    ByteBuffer in = ByteBuffer.wrap(bytes);
    while (in.hasRemaining()) {
      int version = in.get();
      int type = in.get();
      int flags = in.getShort();
      long streamId = Integer.toUnsignedLong(in.getInt());
      long length = Integer.toUnsignedLong(in.getInt());
      byte[] payload = new byte[type == DATA ? (int) length : 0];
      in.get(payload);
      frames.add(new Frame(version, type, flags, streamId, length, payload));
    }
    return frames;
  }

  /** Such as {@code DATA[SYN] 1 +5}. */
  @Override
  public String toString() {
    StringJoiner names = new StringJoiner("|", "[", "]").setEmptyValue("");
    String[] known = {"SYN", "ACK", "FIN", "RST"};
    for (int i = 0; i < 4; i++) {
      if (has(1 << i)) {
        names.add(known[i]);
      }
    }
    String kind = new String[] {"DATA", "WINDOW", "PING", "GOAWAY"}[type];
    return kind + names + " " + streamId + " +" + length;
  }
}
