package io.grpcstream.libp2p;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The handlers of inbound streams by protocol id; they may change while streams come in. */
final class ProtocolHandlers {
  /** A multistream message holds 1,024 bytes with its newline. */
  private static final int MAX_PROTOCOL_BYTES = 1_023;

  private final Map<String, StreamHandler> handlers = new ConcurrentHashMap<>();

  void put(String protocol, StreamHandler handler) {
    handlers.put(check(protocol), handler);
  }

  boolean remove(String protocol) {
    return handlers.remove(protocol) != null;
  }

  boolean contains(String protocol) {
    return handlers.containsKey(protocol);
  }

  @Nullable StreamHandler get(String protocol) {
    return handlers.get(protocol);
  }

  List<String> protocols() {
    return List.copyOf(handlers.keySet());
  }

  /** The protocols of one stream to be opened: at least one, each of which can be negotiated. */
  static List<String> check(String... protocols) {
    if (protocols.length == 0) {
      throw new IllegalArgumentException("no protocol given");
    }
    for (String protocol : protocols) {
      check(protocol);
    }
    return List.of(protocols);
  }

  private static String check(String protocol) {
    if (protocol.isEmpty()
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
