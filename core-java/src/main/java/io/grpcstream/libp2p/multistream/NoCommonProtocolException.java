package io.grpcstream.libp2p.multistream;

import java.util.List;

/** The remote answered {@code na} to every protocol that was proposed. It is alive and well. */
public final class NoCommonProtocolException extends MultistreamException {
  private static final long serialVersionUID = 1L;

  private final transient List<String> protocols;

  NoCommonProtocolException(String message, List<String> protocols) {
    super(message);
    this.protocols = List.copyOf(protocols);
  }

  /** The protocols that were proposed, in the order in which they were tried. */
  public List<String> protocols() {
    return protocols;
  }
}
