package io.grpcstream.libp2p.resources;

import io.grpcstream.libp2p.Libp2pException;
import io.grpcstream.libp2p.libraries.Libraries;
import io.grpcstream.libp2p.text.SystemErrorText;

/** Failures in words, for the texts of refusals and exceptions. */
public final class FailureText {
  private FailureText() {}

  /** A text for a failure that has none of its own, or one that says nothing to people. */
  public static String of(Throwable failure) {
    LinkageError linkage = Libraries.linkageError(failure);
    if (linkage != null && !(failure instanceof Libp2pException)) { // Whose text holds this one.
      return Libraries.describe(linkage);
    }
    String message = failure.getMessage();
    return message != null ? SystemErrorText.plain(message) : failure.getClass().getSimpleName();
  }
}
