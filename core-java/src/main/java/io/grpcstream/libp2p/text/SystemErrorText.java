package io.grpcstream.libp2p.text;

import java.util.regex.Pattern;

/** What the operating system says of a socket that failed, without what is for programmers. */
public final class SystemErrorText {
  /** What Netty's native transports put before the system's text. */
  private static final Pattern NATIVE_CALL =
      Pattern.compile("^\\w+\\(\\.\\.\\) failed with error\\(-?\\d+\\): ");

  /** How systems call it that the other end has closed its socket, or knows of no such socket. */
  private static final Pattern ENDED_THERE =
      Pattern.compile("connection reset|broken pipe|forcibly closed", Pattern.CASE_INSENSITIVE);

  private SystemErrorText() {}

  /** {@code text} without the name of the system call that failed, and without its number. */
  public static String plain(String text) {
    return NATIVE_CALL.matcher(text).replaceFirst("");
  }

  /**
   * Whether {@code text} tells of an end by the other side. Other failures, such as a time-out of
   * the kernel's or a route that is gone, tell of the network, or of this machine.
   */
  public static boolean isEndByOtherSide(String text) {
    return ENDED_THERE.matcher(text).find();
  }
}
