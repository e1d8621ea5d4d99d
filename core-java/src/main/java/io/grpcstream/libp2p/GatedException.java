package io.grpcstream.libp2p;

/** The host's {@link ConnectionGater} refused a connection. */
public final class GatedException extends Libp2pException {
  private static final long serialVersionUID = 1L;

  private final Refusal refusal;

  /** The gater's hook of {@code refusal} said no. */
  public GatedException(Refusal refusal, String message) {
    super(message);
    this.refusal = refusal;
  }

  /** Which of the gater's hooks refused. */
  public Refusal refusal() {
    return refusal;
  }
}
