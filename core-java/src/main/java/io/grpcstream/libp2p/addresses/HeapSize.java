package io.grpcstream.libp2p.addresses;

import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerInfo;
import org.jspecify.annotations.Nullable;

/** About how many bytes of heap take what peers tell. */
final class HeapSize {
  /** A multiaddr and its array, beside the bytes of its binary form. */
  private static final int MULTIADDR_BYTES = 40;

  private static final int RECORD_BYTES = 96;

  /** A string and its array, beside two bytes a character: one outside Latin-1 makes it two. */
  private static final int STRING_BYTES = 48;

  private static final int PLACE_BYTES = 8;

  private HeapSize() {}

  static long of(@Nullable Multiaddr address) {
    return address == null ? 0 : MULTIADDR_BYTES + address.bytes().length;
  }

  static long of(@Nullable PeerInfo info) {
    if (info == null) {
      return 0;
    }
    long size = RECORD_BYTES + of(info.agentVersion()) + of(info.protocolVersion());
    for (Multiaddr address : info.listenAddresses()) {
      size += PLACE_BYTES + of(address);
    }
    for (String protocol : info.protocols()) {
      size += PLACE_BYTES + of(protocol);
    }
    return size + of(info.observedAddress());
  }

  private static long of(String text) {
    return STRING_BYTES + 2L * text.length();
  }
}
