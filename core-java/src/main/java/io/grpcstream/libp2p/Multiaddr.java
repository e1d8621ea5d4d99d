package io.grpcstream.libp2p;

import java.util.List;
import java.util.Optional;

/** A self-describing network address. */
public final class Multiaddr {
  private Multiaddr() {}

  /** One {@code /protocol/value} part; {@code value} is empty for protocols without one. */
  public record Component(String protocol, String value) {}

  public static Multiaddr parse(String text) {
    throw new UnsupportedOperationException();
  }

  public static Multiaddr fromBytes(byte[] bytes) {
    throw new UnsupportedOperationException();
  }

  public byte[] bytes() {
    throw new UnsupportedOperationException();
  }

  public List<Component> components() {
    throw new UnsupportedOperationException();
  }

  /** The value of the first component of that protocol. */
  public Optional<String> value(String protocol) {
    throw new UnsupportedOperationException();
  }

  /** The peer id of the last {@code /p2p} component. */
  public Optional<PeerId> peerId() {
    throw new UnsupportedOperationException();
  }

  public Multiaddr withPeerId(PeerId peer) {
    throw new UnsupportedOperationException();
  }

  public Multiaddr withoutPeerId() {
    throw new UnsupportedOperationException();
  }
}
