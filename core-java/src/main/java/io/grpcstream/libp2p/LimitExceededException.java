package io.grpcstream.libp2p;

/**
 * One of this host's own {@link Limits} stands in the way of a new connection or stream. The
 * message names the limit and its value.
 */
public final class LimitExceededException extends Libp2pException {
  private static final long serialVersionUID = 1L;

  private final Refusal refusal;

  /** The limit of {@code refusal} is used up; {@code message} names its value. */
  public LimitExceededException(Refusal refusal, String message) {
    super(message);
    this.refusal = refusal;
  }

  /** The limit that was reached. */
  public Refusal refusal() {
    return refusal;
  }
}
