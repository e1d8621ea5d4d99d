package io.libp2p.core;

/** Stands in for jvm-libp2p's class. */
public final class PeerId {
  private final byte[] bytes;

  public PeerId(byte[] bytes) {
    this.bytes = bytes.clone();
  }

  public byte[] getBytes() {
    return bytes.clone();
  }
}
