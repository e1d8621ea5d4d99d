package io.libp2p.core;

import java.util.Arrays;

/** Stands in for jvm-libp2p's class. */
public final class PeerId {
  private final byte[] bytes;

  public PeerId(byte[] bytes) {
    this.bytes = bytes.clone();
  }

  public byte[] getBytes() {
    return bytes.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof PeerId that && Arrays.equals(bytes, that.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }
}
