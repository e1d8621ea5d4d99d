package io.libp2p.core;

/** Stands in for jvm-libp2p's interface. */
public interface P2PChannel {
  boolean isInitiator();
}
