package io.libp2p.etc.util.netty.mux;

/** Stands in for jvm-libp2p's event of the same name, by which its streams tell of their end. */
public enum RemoteWriteClosed {
  INSTANCE
}
