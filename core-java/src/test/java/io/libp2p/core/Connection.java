package io.libp2p.core;

import io.libp2p.core.multiformats.Multiaddr;

/** Stands in for jvm-libp2p's interface. */
public interface Connection {
  Multiaddr remoteAddress();
}
