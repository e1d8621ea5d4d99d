package io.libp2p.core.multistream;

import java.util.List;

/** Stands in for jvm-libp2p's class. */
public final class ProtocolDescriptor {
  private final List<String> announceProtocols;

  public ProtocolDescriptor(String announce) {
    announceProtocols = List.of(announce);
  }

  public List<String> getAnnounceProtocols() {
    return announceProtocols;
  }
}
