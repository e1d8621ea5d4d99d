package io.grpcstream.libp2p;

import io.grpcstream.libp2p.Multiaddr.Component;
import io.grpcstream.libp2p.multiformats.Quote;
import io.grpcstream.libp2p.multiformats.Varint;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Collects the components of one multiaddr, in both forms, and says which one is wrong. */
final class MultiaddrBuilder {
  private final String what;
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final List<Component> components = new ArrayList<>();

  /** {@code what} stands before the text of errors. */
  MultiaddrBuilder(String what) {
    this.what = what;
  }

  /** Adds a component from its text, and returns how many of the two parts it took. */
  int add(String name, @Nullable String next) {
    MultiaddrProtocol protocol;
    try {
      protocol = MultiaddrProtocol.ofName(name);
    } catch (IllegalArgumentException e) {
      throw error('/' + name, e.getMessage(), e);
    }
    MultiaddrValue form = protocol.value();
    if (form == null) {
      append(protocol, new byte[0], "");
      return 1;
    }
    if (next == null) {
      throw error('/' + name, "its value is missing", null);
    }
    byte[] value;
    String text;
    try {
      value = form.parse(next);
      text = form.format(value);
    } catch (IllegalArgumentException e) {
      throw error('/' + name + '/' + next, e.getMessage(), e);
    }
    append(protocol, value, text);
    return 2;
  }

  /** Adds a component that has been checked before. */
  void add(Component component) {
    add(component.protocol(), component.value());
  }

  /** Adds all components of a binary form, which may be empty. */
  void addAll(byte[] binary) {
    ByteBuffer in = ByteBuffer.wrap(binary);
    while (in.hasRemaining()) {
      add(in);
    }
  }

  /** Adds the component that {@code in} is at. */
  private void add(ByteBuffer in) {
    int start = in.position();
    String where = "at byte " + start;
    MultiaddrProtocol protocol;
    byte[] value;
    String text;
    try {
      protocol = MultiaddrProtocol.ofCode(Varint.read(in));
      where = '/' + protocol.text() + " at byte " + start;
      MultiaddrValue form = protocol.value();
      value = form == null ? new byte[0] : value(form, in);
      text = form == null ? "" : form.format(value);
    } catch (IllegalArgumentException e) {
      throw error(where, e.getMessage(), e);
    }
    append(protocol, value, text);
  }

  private static byte[] value(MultiaddrValue form, ByteBuffer in) {
    long length = form.length() == MultiaddrValue.VARIABLE ? Varint.read(in) : form.length();
    if (length > in.remaining()) {
      throw new IllegalArgumentException(
          "a value of " + length + " bytes, but " + in.remaining() + " are left");
    }
    byte[] value = new byte[(int) length];
    in.get(value);
    return value;
  }

  private void append(MultiaddrProtocol protocol, byte[] value, String text) {
    Varint.write(bytes, protocol.code());
    MultiaddrValue form = protocol.value();
    if (form != null && form.length() == MultiaddrValue.VARIABLE) {
      Varint.write(bytes, value.length);
    }
    bytes.writeBytes(value);
    components.add(new Component(protocol.text(), text));
    if (bytes.size() > Multiaddr.MAX_BYTES || components.size() > Multiaddr.MAX_COMPONENTS) {
      throw error(
          components.size()
              + " components of "
              + bytes.size()
              + " bytes, limits "
              + Multiaddr.MAX_COMPONENTS
              + " and "
              + Multiaddr.MAX_BYTES,
          null);
    }
  }

  byte[] bytes() {
    return bytes.toByteArray();
  }

  List<Component> components() {
    return List.copyOf(components);
  }

  /** An error of the component that would be next. */
  private IllegalArgumentException error(
      String component, @Nullable String found, @Nullable Throwable cause) {
    return error(
        "component " + (components.size() + 1) + " (" + Quote.plain(component) + "): " + found,
        cause);
  }

  /** An error of the multiaddr as a whole. */
  IllegalArgumentException error(String found, @Nullable Throwable cause) {
    return new IllegalArgumentException(what + ": " + found, cause);
  }
}
