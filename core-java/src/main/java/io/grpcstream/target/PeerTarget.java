package io.grpcstream.target;

import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The peers that a target names: {@code libp2p:}, multiaddrs that end in {@code /p2p/<peer id>},
 * separated by commas, and optionally {@code ?protocol=<protocol id>}. Addresses of the same peer
 * are that peer's addresses; {@code /p2p/<peer id>} alone is a peer wherever it is.
 *
 * @param peers by their ids, in the order in which they are named first, with their addresses
 * @param protocol the id of the protocol that gRPC speaks with them
 */
public record PeerTarget(Map<PeerId, List<Multiaddr>> peers, String protocol) {
  public static final String SCHEME = "libp2p";

  /** The protocol id where none is named. */
  public static final String DEFAULT_PROTOCOL = "/libp2p/grpc/1.0.0";

  /** Longer targets are refused: a list of that many peers is for a discovery. */
  private static final int MAX_PEERS = 1_024;

  private static final String PROTOCOL_PARAMETER = "protocol";

  /**
   * Reads a target.
   *
   * @throws IllegalArgumentException if it is none, with what is wrong with it
   */
  public static PeerTarget parse(String target) {
    URI uri;
    try {
      uri = new URI(target);
    } catch (URISyntaxException e) {
      throw wrong(target, String.valueOf(e.getMessage()));
    }
    return of(uri);
  }

  /** Reads a target, as gRPC passes it on. */
  static PeerTarget of(URI uri) {
    String target = uri.toString();
    if (!SCHEME.equals(uri.getScheme())) {
      throw wrong(target, "it does not begin with " + SCHEME + ":");
    }
    if (uri.getRawAuthority() != null) {
      throw wrong(target, "a multiaddr begins with one slash, or three with the scheme's");
    }
    if (uri.getRawFragment() != null) {
      throw wrong(target, "a target has no fragment, write # as %23");
    }
    String path = uri.getPath();
    if (path == null || path.isEmpty()) {
      throw wrong(target, "it names no peer");
    }
    return new PeerTarget(peers(target, path), protocol(target, uri.getRawQuery()));
  }

  private static Map<PeerId, List<Multiaddr>> peers(String target, String path) {
    Map<PeerId, List<Multiaddr>> peers = new LinkedHashMap<>();
    for (String text : path.split(",", -1)) {
      Multiaddr address;
      try {
        address = Multiaddr.parse(text);
      } catch (IllegalArgumentException e) {
        throw wrong(target, String.valueOf(e.getMessage()));
      }
      PeerId peer =
          address
              .peerId()
              .orElseThrow(
                  () ->
                      wrong(
                          target,
                          address + " names no peer: end it in /p2p/<peer id>, which is proven"));
      List<Multiaddr> known = peers.computeIfAbsent(peer, p -> new ArrayList<>());
      Multiaddr bare = address.withoutPeerId();
      if (!bare.isEmpty() && !known.contains(bare)) {
        known.add(bare);
      }
      if (peers.size() > MAX_PEERS) {
        throw wrong(
            target.substring(0, 100) + "…", "it names more than %,d peers".formatted(MAX_PEERS));
      }
    }
    return peers;
  }

  private static String protocol(String target, @org.jspecify.annotations.Nullable String query) {
    String protocol = DEFAULT_PROTOCOL;
    for (String parameter : query == null ? new String[0] : query.split("&", -1)) {
      int equals = parameter.indexOf('=');
      String name = equals < 0 ? parameter : parameter.substring(0, equals);
      if (!name.equals(PROTOCOL_PARAMETER)) {
        throw wrong(target, "it may have ?protocol=<protocol id>, and has ?" + parameter);
      }
      // A plus sign stands for itself here, as in protocol ids such as /a/1.0.0+b.
      String value = parameter.substring(equals + 1).replace("+", "%2B");
      protocol = URLDecoder.decode(value, StandardCharsets.UTF_8);
      if (equals < 0 || protocol.isEmpty()) {
        throw wrong(target, "its protocol id is empty");
      }
    }
    return protocol;
  }

  private static IllegalArgumentException wrong(String target, String why) {
    return new IllegalArgumentException("not a target: \"" + target + "\": " + why);
  }

  /** The target of one peer. */
  public static String of(PeerId peer, Collection<Multiaddr> addresses, String protocol) {
    List<Multiaddr> all =
        addresses.isEmpty()
            ? List.of(Multiaddr.parse("/p2p/" + peer))
            : addresses.stream().map(address -> address.withPeerId(peer)).toList();
    String path = all.stream().map(Multiaddr::toString).collect(Collectors.joining(","));
    String encoded = URLEncoder.encode(protocol, StandardCharsets.UTF_8).replace("%2F", "/");
    try {
      return new URI(SCHEME, null, path, null, null)
          + "?"
          + PROTOCOL_PARAMETER
          + "="
          + encoded.replace("+", "%20");
    } catch (URISyntaxException e) {
      throw wrong(path, String.valueOf(e.getMessage()));
    }
  }

  /** What gRPC is to connect to: one address for each peer. */
  public List<PeerTargetAddress> addresses() {
    return peers.entrySet().stream()
        .map(peer -> new PeerTargetAddress(peer.getKey(), peer.getValue(), protocol))
        .toList();
  }

  /** What calls name as their authority, unless they name another: the peer, if it is one. */
  public String authority() {
    return peers.size() == 1 ? peers.keySet().iterator().next().toString() : SCHEME;
  }
}
