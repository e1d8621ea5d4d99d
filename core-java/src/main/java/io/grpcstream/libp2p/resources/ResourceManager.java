package io.grpcstream.libp2p.resources;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpcstream.libp2p.HostStats;
import io.grpcstream.libp2p.LimitExceededException;
import io.grpcstream.libp2p.Limits;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Refusal;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Counts the connections and streams of a host against its {@link Limits}.
 *
 * <p>Who wants one takes a slot first, which fails if a limit is reached; who had one releases it
 * when the channel behind it has closed. Releasing is idempotent, so a slot is given back exactly
 * once however many ways there are to end. A peer's entry exists only while something of it is
 * counted: nothing is kept of peers that have gone. Thread-safe; a lock is held for a few map
 * operations, never while anything else is called but the log.
 */
public final class ResourceManager {
  private final Limits limits;
  private final Refusals refusals;
  private final Traffic traffic = new Traffic();
  private final Map<String, Integer> inboundPerProtocol;

  @GuardedBy("this")
  private final Map<PeerId, PeerUse> peers = new HashMap<>();

  @GuardedBy("this")
  private final Map<ByteBuffer, Integer> addresses = new HashMap<>();

  @GuardedBy("this")
  private final Map<ByteBuffer, Integer> pendingAddresses = new HashMap<>();

  @GuardedBy("this")
  private int inboundConnections;

  @GuardedBy("this")
  private int outboundConnections;

  @GuardedBy("this")
  private int pendingConnections;

  @GuardedBy("this")
  private int inboundStreams;

  @GuardedBy("this")
  private int outboundStreams;

  /**
   * Counts against {@code limits}.
   *
   * @param inboundPerProtocol protocols that have a lower limit of inbound streams per peer
   */
  public ResourceManager(
      Limits limits, Refusals refusals, Map<String, Integer> inboundPerProtocol) {
    this.limits = limits;
    this.refusals = refusals;
    this.inboundPerProtocol = inboundPerProtocol;
  }

  /** A slot for a connection that came in from {@code remote}, whose peer is not known yet. */
  public synchronized ConnectionSlot inboundConnection(SocketAddress remote)
      throws LimitExceededException {
    checkConnections(remote);
    if (pendingConnections >= limits.pendingInboundConnections()) {
      throw refusals.limit(
          Refusal.PENDING_CONNECTIONS,
          limit("pending inbound connections", limits.pendingInboundConnections())
              + ", from "
              + remote);
    }
    ByteBuffer address = addressBlock(remote);
    if (address != null && count(addresses, address) >= limits.connectionsPerAddress()) {
      throw refusals.limit(
          Refusal.CONNECTIONS_PER_ADDRESS,
          limit("connections of one address", limits.connectionsPerAddress()) + ", from " + remote);
    }
    if (address != null && count(pendingAddresses, address) >= pendingPerAddress()) {
      throw refusals.limit(
          Refusal.PENDING_CONNECTIONS,
          limit("pending inbound connections of one address", pendingPerAddress())
              + ", from "
              + remote);
    }
    if (address != null) {
      addresses.merge(address, 1, Integer::sum);
      pendingAddresses.merge(address, 1, Integer::sum);
    }
    inboundConnections++;
    pendingConnections++;
    return new ConnectionSlot(true, address);
  }

  /** See {@link Limits#pendingInboundConnections()}. */
  private int pendingPerAddress() {
    return Math.max(8, limits.pendingInboundConnections() / 8);
  }

  /** No longer pending: its peer is proven, or it has ended. */
  @GuardedBy("this")
  private void notPending(@Nullable ByteBuffer address) {
    pendingConnections--;
    if (address != null) {
      decrement(pendingAddresses, address);
    }
  }

  /** A slot for a connection about to be dialled. */
  public synchronized ConnectionSlot outboundConnection(Object address)
      throws LimitExceededException {
    checkConnections(address);
    outboundConnections++;
    return new ConnectionSlot(false, null);
  }

  @GuardedBy("this")
  private void checkConnections(Object address) throws LimitExceededException {
    if (inboundConnections + outboundConnections >= limits.connections()) {
      throw refusals.limit(
          Refusal.CONNECTIONS, limit("connections", limits.connections()) + ", for " + address);
    }
  }

  /** A slot for a stream of {@code peer} that has not agreed on its protocol yet. */
  public synchronized StreamSlot stream(PeerId peer, boolean inbound)
      throws LimitExceededException {
    int all = inbound ? limits.inboundStreams() : limits.outboundStreams();
    if ((inbound ? inboundStreams : outboundStreams) >= all) {
      throw refusals.limit(
          Refusal.STREAMS, limit(name(inbound) + " streams", all) + ", for peer " + peer);
    }
    PeerUse use = peers.get(peer);
    int perPeer = inbound ? limits.inboundStreamsPerPeer() : limits.outboundStreamsPerPeer();
    if (use != null && use.streams(inbound) >= perPeer) {
      throw refusals.limit(
          Refusal.STREAMS_PER_PEER,
          limit(name(inbound) + " streams of one peer", perPeer) + ", for peer " + peer);
    }
    if (inbound && use != null && use.pendingStreams >= limits.pendingInboundStreams()) {
      throw refusals.limit(
          Refusal.PENDING_STREAMS,
          limit("inbound streams without a protocol", limits.pendingInboundStreams())
              + ", for peer "
              + peer);
    }
    if (use == null) {
      use = new PeerUse();
      peers.put(peer, use);
    }
    return new StreamSlot(peer, use, inbound);
  }

  /** The bytes of the host's connections. */
  public Traffic traffic() {
    return traffic;
  }

  /** What is held now and was refused so far. */
  public synchronized HostStats stats() {
    return new HostStats(
        inboundConnections,
        outboundConnections,
        pendingConnections,
        inboundStreams,
        outboundStreams,
        traffic.received(),
        traffic.sent(),
        refusals.counts(),
        HostStats.Upkeep.NONE);
  }

  /** Peers of which something is counted. */
  synchronized int peerCount() {
    return peers.size();
  }

  private static String limit(String what, int value) {
    return "this host's limit of " + value + " " + what + " reached";
  }

  private static String name(boolean inbound) {
    return inbound ? "inbound" : "outbound";
  }

  private static <K> int count(Map<K, Integer> counts, K key) {
    return counts.getOrDefault(key, 0);
  }

  private static <K> void decrement(Map<K, Integer> counts, K key) {
    counts.computeIfPresent(key, (k, count) -> count == 1 ? null : count - 1);
  }

  /** The IPv4 address or IPv6 /56 that is counted as one; null if the address is not counted. */
  private static @Nullable ByteBuffer addressBlock(SocketAddress remote) {
    if (!(remote instanceof InetSocketAddress inet)) {
      return null;
    }
    InetAddress address = inet.getAddress();
    if (address == null || address.isLoopbackAddress()) {
      return null;
    }
    byte[] bytes = address.getAddress();
    return ByteBuffer.wrap(bytes, 0, bytes.length == 16 ? 7 : bytes.length).slice();
  }

  @GuardedBy("this")
  private void forgetIfUnused(PeerId peer, PeerUse use) {
    if (use.isUnused()) {
      peers.remove(peer, use);
    }
  }

  /** What one peer uses. */
  private static final class PeerUse {
    int connections;
    int inbound;
    int outbound;
    int pendingStreams;
    final Map<String, Integer> inboundProtocols = new HashMap<>();
    final Map<String, Integer> outboundProtocols = new HashMap<>();

    int streams(boolean inboundStreams) {
      return inboundStreams ? inbound : outbound;
    }

    Map<String, Integer> protocols(boolean inboundStreams) {
      return inboundStreams ? inboundProtocols : outboundProtocols;
    }

    boolean isUnused() {
      return connections == 0 && inbound == 0 && outbound == 0;
    }
  }

  /** The place of one connection. */
  public final class ConnectionSlot {
    private final boolean inbound;
    private final @Nullable ByteBuffer address;
    private @Nullable PeerId peer;
    private @Nullable PeerUse use;
    private boolean released;

    private ConnectionSlot(boolean inbound, @Nullable ByteBuffer address) {
      this.inbound = inbound;
      this.address = address;
    }

    /** Counts the connection as one of {@code peer}'s, whose identity is proven now. Once only. */
    public void setPeer(PeerId peer) throws LimitExceededException {
      synchronized (ResourceManager.this) {
        if (released) {
          return;
        }
        PeerUse use = peers.get(peer);
        if (use != null && use.connections >= limits.connectionsPerPeer()) {
          throw refusals.limit(
              Refusal.CONNECTIONS_PER_PEER,
              limit("connections with one peer", limits.connectionsPerPeer())
                  + ", for peer "
                  + peer);
        }
        if (use == null) {
          use = new PeerUse();
          peers.put(peer, use);
        }
        use.connections++;
        this.peer = peer;
        this.use = use;
        if (inbound) {
          notPending(address);
        }
      }
    }

    /** Gives the place back. Idempotent. */
    public void release() {
      synchronized (ResourceManager.this) {
        if (released) {
          return;
        }
        released = true;
        if (inbound) {
          inboundConnections--;
        } else {
          outboundConnections--;
        }
        if (address != null) {
          decrement(addresses, address);
        }
        if (peer != null && use != null) {
          use.connections--;
          forgetIfUnused(peer, use);
        } else if (inbound) {
          notPending(address);
        }
      }
    }
  }

  /** The place of one stream. */
  public final class StreamSlot {
    private final PeerId peer;
    private final PeerUse use;
    private final boolean inbound;
    private @Nullable String protocol;
    private boolean released;

    private StreamSlot(PeerId peer, PeerUse use, boolean inbound) {
      this.peer = peer;
      this.use = use;
      this.inbound = inbound;
      if (inbound) {
        use.inbound++;
        use.pendingStreams++;
        inboundStreams++;
      } else {
        use.outbound++;
        outboundStreams++;
      }
    }

    /** Counts the stream as one of {@code protocol}, which is agreed now. Once only. */
    public void setProtocol(String protocol) throws LimitExceededException {
      synchronized (ResourceManager.this) {
        if (released) {
          return;
        }
        Map<String, Integer> protocols = use.protocols(inbound);
        int max = maxStreams(protocol);
        if (count(protocols, protocol) >= max) {
          throw refusals.limit(
              Refusal.STREAMS_PER_PROTOCOL,
              limit(name(inbound) + " streams of one protocol and peer", max)
                  + ", for "
                  + protocol
                  + " of peer "
                  + peer);
        }
        protocols.merge(protocol, 1, Integer::sum);
        this.protocol = protocol;
        if (inbound) {
          use.pendingStreams--;
        }
      }
    }

    private int maxStreams(String protocol) {
      if (!inbound) {
        return limits.outboundStreamsPerProtocol();
      }
      int max = limits.inboundStreamsPerProtocol();
      return Math.min(max, inboundPerProtocol.getOrDefault(protocol, max));
    }

    /** Gives the place back. Idempotent. */
    public void release() {
      synchronized (ResourceManager.this) {
        if (released) {
          return;
        }
        released = true;
        if (inbound) {
          use.inbound--;
          inboundStreams--;
        } else {
          use.outbound--;
          outboundStreams--;
        }
        if (protocol != null) {
          decrement(use.protocols(inbound), protocol);
        } else if (inbound) {
          use.pendingStreams--;
        }
        forgetIfUnused(peer, use);
      }
    }
  }
}
