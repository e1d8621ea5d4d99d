package io.grpcstream.libp2p.replay;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;

/**
 * What the two sides of a connection sent first. As text: comments, then a line of hexadecimal
 * digits after {@code theirs} and another after {@code ours}, and their peer id.
 *
 * @param they the other side: its language, {@code dials} or {@code listens}, the secure channel,
 *     the kind of its key
 * @param peer its peer id
 */
record Flight(List<String> they, String peer, byte[] theirs, byte[] ours) {
  static Flight load(String name) {
    try (InputStream in = Flight.class.getResourceAsStream(name + ".txt")) {
      if (in == null) {
        throw new IllegalArgumentException("no such flight: " + name);
      }
      List<String> lines = new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
      return new Flight(
          List.of(name.split("-")),
          line(lines, "peer "),
          HexFormat.of().parseHex(line(lines, "theirs ")),
          HexFormat.of().parseHex(line(lines, "ours ")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String line(List<String> lines, String prefix) {
    String line = lines.stream().filter(l -> l.startsWith(prefix)).findFirst().orElseThrow();
    return line.substring(prefix.length());
  }

  String text(String comment) {
    HexFormat hex = HexFormat.of();
    return "# %s%npeer %s%ntheirs %s%nours %s%n"
        .formatted(comment, peer, hex.formatHex(theirs), hex.formatHex(ours));
  }

  boolean theyDial() {
    return they.get(1).equals("dials");
  }

  /** Where the first two messages of multistream-select end, which name it and what comes next. */
  static int negotiation(byte[] sent) {
    ByteBuffer in = ByteBuffer.wrap(sent);
    for (int i = 0; i < 2; i++) {
      skip(in, in.get()); // These messages are shorter than 128 bytes.
    }
    return in.position();
  }

  /**
   * How many of a side's bytes are the negotiation of Noise and its handshake: two messages of
   * multistream-select, and two or one of Noise, each after its length.
   */
  static int noiseHandshake(byte[] sent, boolean dialler) {
    ByteBuffer in = ByteBuffer.wrap(sent).position(negotiation(sent));
    for (int i = 0; i < (dialler ? 2 : 1); i++) {
      skip(in, Short.toUnsignedInt(in.getShort()));
    }
    return in.position();
  }

  private static void skip(ByteBuffer in, int bytes) {
    in.position(in.position() + bytes);
  }
}
