package io.grpcstream.libp2p.crypto;

import org.jspecify.annotations.Nullable;

/**
 * Bytes that should be a key are not one, or one that is refused; the message says what is wrong
 * with them and never holds the bytes.
 */
public final class KeyFormatException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /** Says what is wrong. */
  public KeyFormatException(String message) {
    super(message);
  }

  /** Says what is wrong, and what found it. */
  public KeyFormatException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
