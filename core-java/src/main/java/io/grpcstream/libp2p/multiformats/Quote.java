package io.grpcstream.libp2p.multiformats;

/** Text from elsewhere, made fit for an error message: bounded, on one line, printable ASCII. */
public final class Quote {
  private static final int MAX_CHARS = 160;

  private Quote() {}

  /** {@code text} in double quotes, cut after {@value #MAX_CHARS} characters. */
  public static String of(String text) {
    return '"' + plain(text) + '"';
  }

  /** {@code c} in single quotes. */
  public static String of(char c) {
    return "'" + plain(String.valueOf(c)) + "'";
  }

  /** {@code text} without quotes, cut after {@value #MAX_CHARS} characters. */
  public static String plain(String text) {
    StringBuilder out = new StringBuilder(Math.min(text.length(), MAX_CHARS) + 2);
    for (int i = 0; i < Math.min(text.length(), MAX_CHARS); i++) {
      char c = text.charAt(i);
      if (c >= ' ' && c <= '~') {
        out.append(c);
      } else {
        out.append(String.format("\\u%04x", (int) c));
      }
    }
    if (text.length() > MAX_CHARS) {
      out.append("… (").append(text.length()).append(" characters)");
    }
    return out.toString();
  }
}
