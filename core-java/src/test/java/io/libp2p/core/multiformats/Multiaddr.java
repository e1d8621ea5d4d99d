package io.libp2p.core.multiformats;

/** Stands in for jvm-libp2p's class. */
public record Multiaddr(String text) {
  @Override
  public String toString() {
    return text;
  }
}
