package io.grpcstream.libp2p;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A failure of a libp2p operation: of a dial, of a negotiation, of a limit or of a policy.
 *
 * <p>It is an {@link IOException} because to the layers above (gRPC among them) that is what a peer
 * that cannot be used looks like. The message names the peer, the address, the protocol and the
 * value that was found, as far as they are known.
 */
public class Libp2pException extends IOException {
  private static final long serialVersionUID = 1L;

  /** A failure without a cause of its own. */
  public Libp2pException(String message) {
    super(message);
  }

  /** A failure that {@code cause} explains. */
  public Libp2pException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
