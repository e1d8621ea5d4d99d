package io.grpcstream.libp2p.connection;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpcstream.libp2p.StreamHandler;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The handlers of inbound streams by protocol id, in the order in which the ids were first put;
 * they may change while streams come in. Thread-safe.
 */
public final class ProtocolHandlers {
  /** A multistream message holds 1,024 bytes with its newline. */
  private static final int MAX_PROTOCOL_BYTES = 1_023;

  @GuardedBy("this")
  private final Map<String, StreamHandler> handlers = new LinkedHashMap<>();

  private final Set<String> own;

  /**
   * None yet.
   *
   * @param own protocols that are the host's own business, for which no shutdown waits
   */
  public ProtocolHandlers(Set<String> own) {
    this.own = own;
  }

  /** Whether {@code protocol} is the host's own business. */
  boolean isOwn(String protocol) {
    return own.contains(protocol);
  }

  public void put(String protocol, StreamHandler handler) {
    check(protocol);
    Objects.requireNonNull(handler, () -> "the handler for " + protocol + " is null");
    synchronized (this) {
      handlers.put(protocol, handler);
    }
  }

  /** Adds {@code handler}, unless there is one for {@code protocol}: then returns false. */
  public boolean putIfAbsent(String protocol, StreamHandler handler) {
    check(protocol);
    Objects.requireNonNull(handler, () -> "the handler for " + protocol + " is null");
    synchronized (this) {
      return handlers.putIfAbsent(protocol, handler) == null;
    }
  }

  public synchronized boolean remove(String protocol) {
    return handlers.remove(Objects.requireNonNull(protocol, "the protocol is null")) != null;
  }

  /** Removes {@code handler}, unless another one has taken its place. */
  public synchronized boolean remove(String protocol, StreamHandler handler) {
    Objects.requireNonNull(protocol, "the protocol is null");
    return handlers.remove(protocol, Objects.requireNonNull(handler, "the handler is null"));
  }

  synchronized boolean contains(String protocol) {
    return handlers.containsKey(protocol);
  }

  synchronized @Nullable StreamHandler get(String protocol) {
    return handlers.get(protocol);
  }

  /** Those of the host itself first, as it puts them first, and then as they were put. */
  public synchronized List<String> protocols() {
    return List.copyOf(handlers.keySet());
  }

  /** The protocols of one stream to be opened: at least one, each of which can be negotiated. */
  public static List<String> check(String... protocols) {
    if (Objects.requireNonNull(protocols, "the list of protocols is null").length == 0) {
      throw new IllegalArgumentException("no protocol given");
    }
    for (String protocol : protocols) {
      check(protocol);
    }
    return List.of(protocols);
  }

  private static String check(String protocol) {
    if (Objects.requireNonNull(protocol, "a protocol is null").isEmpty()
        || protocol.equals("na")
        || protocol.indexOf('\n') >= 0
        || protocol.getBytes(StandardCharsets.UTF_8).length > MAX_PROTOCOL_BYTES) {
      throw new IllegalArgumentException(
          "not a protocol id: \""
              + protocol
              + "\"; it must have 1 to "
              + MAX_PROTOCOL_BYTES
              + " bytes, no line break, and not be \"na\"");
    }
    return protocol;
  }
}
