package io.grpcstream.libp2p;

import io.grpcstream.libp2p.multiformats.Quote;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A self-describing network address such as {@code /ip4/192.0.2.1/tcp/4001/p2p/12D3…}: a sequence
 * of components, each running inside those on its left. Immutable; two are equal if their binary
 * forms are. At most 1,024 bytes and 64 components, since addresses come from strangers.
 *
 * <p>Being well-formed does not make an address one that can be dialled.
 *
 * @see <a href="https://github.com/multiformats/multiaddr">multiaddr</a>
 * @see <a href="https://github.com/libp2p/specs/blob/master/addressing/README.md">Addressing</a>
 */
public final class Multiaddr {
  /** The longest binary form, in bytes. */
  public static final int MAX_BYTES = 1_024;

  /** The most components. */
  public static final int MAX_COMPONENTS = 64;

  private static final int MAX_CHARS = 8_192;

  /**
   * All that is kept: strangers tell addresses by the hundred, and the text and the components of
   * one can take twenty times the memory of its binary form. They are made when asked for.
   */
  private final byte[] bytes;

  private Multiaddr(MultiaddrBuilder builder) {
    this.bytes = builder.bytes();
  }

  /**
   * One {@code /protocol/value} part.
   *
   * @param protocol the protocol's name in the text form
   * @param value its value in the text form; empty for protocols without one
   */
  public record Component(String protocol, String value) {
    /** Refuses null. */
    public Component {
      Objects.requireNonNull(protocol, "the protocol is null");
      Objects.requireNonNull(value, "the value is null");
    }

    /** The part as it stands in a multiaddr, {@code /tcp/4001}. */
    @Override
    public String toString() {
      return value.isEmpty() ? '/' + protocol : '/' + protocol + '/' + value;
    }
  }

  /**
   * Reads the text form. {@code /ipfs} is read as {@code /p2p}, and slashes at the end are ignored.
   *
   * @throws IllegalArgumentException if it is malformed, too long or names an unknown protocol; the
   *     message points at the component
   */
  public static Multiaddr parse(String text) {
    Objects.requireNonNull(text, "the text is null");
    MultiaddrBuilder builder = new MultiaddrBuilder("multiaddr " + Quote.of(text));
    if (text.length() > MAX_CHARS) {
      throw builder.error("%d characters, limit %d".formatted(text.length(), MAX_CHARS), null);
    }
    int end = text.length();
    while (end > 0 && text.charAt(end - 1) == '/') {
      end--;
    }
    if (end == 0 || text.charAt(0) != '/') {
      throw builder.error(
          "must be components that begin with a slash, such as /ip4/127.0.0.1/tcp/4001", null);
    }
    String[] parts = text.substring(1, end).split("/", -1);
    for (int i = 0; i < parts.length; ) {
      i += builder.add(parts[i], i + 1 < parts.length ? parts[i + 1] : null);
    }
    return new Multiaddr(builder);
  }

  /**
   * Reads the binary form.
   *
   * @throws IllegalArgumentException if it is empty, malformed, too long or has an unknown protocol
   *     code; the message points at the component
   */
  public static Multiaddr fromBytes(byte[] bytes) {
    Objects.requireNonNull(bytes, "the bytes are null");
    MultiaddrBuilder builder = new MultiaddrBuilder("multiaddr of " + bytes.length + " bytes");
    if (bytes.length == 0 || bytes.length > MAX_BYTES) {
      throw builder.error("expected 1 to " + MAX_BYTES, null);
    }
    builder.addAll(bytes);
    return new Multiaddr(builder);
  }

  /** A new copy of the binary form. */
  public byte[] bytes() {
    return bytes.clone();
  }

  /** The components from the outermost, such as {@code ip4}, to the innermost. */
  public List<Component> components() {
    MultiaddrBuilder builder = new MultiaddrBuilder("multiaddr of " + bytes.length + " bytes");
    builder.addAll(bytes);
    return builder.components();
  }

  /** Whether there are no components: all that {@link #withoutPeerId} left of {@code /p2p/…}. */
  public boolean isEmpty() {
    return bytes.length == 0;
  }

  /** The value of the first component of that protocol; empty text if it takes no value. */
  public Optional<String> value(String protocol) {
    Objects.requireNonNull(protocol, "the protocol is null");
    return components().stream()
        .filter(c -> c.protocol().equals(protocol))
        .map(Component::value)
        .findFirst();
  }

  /**
   * The peer that the address leads to: the peer id of the last {@code /p2p} component, unless a
   * {@code /p2p-circuit} comes after it, for then it names the relay.
   */
  public Optional<PeerId> peerId() {
    List<Component> components = components();
    for (int i = components.size() - 1; i >= targetStart(components); i--) {
      if (isPeer(components.get(i))) {
        return Optional.of(PeerId.parse(components.get(i).value()));
      }
    }
    return Optional.empty();
  }

  /** This address, leading to {@code peer} instead of the peer it named, if any. */
  public Multiaddr withPeerId(PeerId peer) {
    Objects.requireNonNull(peer, "the peer is null");
    List<Component> components = components();
    boolean peerAtEnd = !components.isEmpty() && isPeer(components.get(components.size() - 1));
    if (peerAtEnd && peerId().filter(peer::equals).isPresent()) {
      return this;
    }
    MultiaddrBuilder builder = without();
    builder.add(MultiaddrProtocol.P2P.text(), peer.toString());
    return new Multiaddr(builder);
  }

  /**
   * This address without {@link #peerId()}: where to dial. Empty if it had nothing else. The
   * relay's peer id in a {@code /p2p-circuit} address stays.
   */
  public Multiaddr withoutPeerId() {
    return peerId().isPresent() ? new Multiaddr(without()) : this;
  }

  /**
   * This address with {@code inner} running inside it.
   *
   * @throws IllegalArgumentException if the whole is too long
   */
  public Multiaddr encapsulate(Multiaddr inner) {
    Objects.requireNonNull(inner, "the inner address is null");
    MultiaddrBuilder builder = new MultiaddrBuilder("multiaddr " + Quote.of(toString() + inner));
    builder.addAll(bytes);
    builder.addAll(inner.bytes);
    return new Multiaddr(builder);
  }

  /** All components but those that name the target. */
  private MultiaddrBuilder without() {
    List<Component> components = components();
    int start = targetStart(components);
    MultiaddrBuilder builder = new MultiaddrBuilder("multiaddr " + Quote.of(toString()));
    for (int i = 0; i < components.size(); i++) {
      if (i < start || !isPeer(components.get(i))) {
        builder.add(components.get(i));
      }
    }
    return builder;
  }

  /** The index of the first component after the last relay. */
  private static int targetStart(List<Component> components) {
    int start = components.size();
    while (start > 0
        && !components.get(start - 1).protocol().equals(MultiaddrProtocol.P2P_CIRCUIT.text())) {
      start--;
    }
    return start;
  }

  private static boolean isPeer(Component component) {
    return component.protocol().equals(MultiaddrProtocol.P2P.text());
  }

  /** The text form, each value in its canonical form. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    components().forEach(text::append);
    return text.toString();
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Multiaddr that && Arrays.equals(bytes, that.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }
}
