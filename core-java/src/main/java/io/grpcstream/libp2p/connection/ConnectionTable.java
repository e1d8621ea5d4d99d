package io.grpcstream.libp2p.connection;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpcstream.libp2p.ConnectionListener;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.PeerInfo;
import io.grpcstream.libp2p.addresses.AddressBook;
import io.grpcstream.libp2p.util.LogRateLimit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The live connections of a host, oldest first, and who listens for their coming and going. When
 * two peers dial each other at once both connections stand; new streams go over the oldest that
 * takes any. Thread-safe; listeners are called without a lock.
 */
public final class ConnectionTable {
  private static final Logger logger = LoggerFactory.getLogger(ConnectionTable.class);

  private final AddressBook book;
  private final LogRateLimit listenerFailures = new LogRateLimit();
  private final CopyOnWriteArrayList<ConnectionListener> listeners = new CopyOnWriteArrayList<>();

  @GuardedBy("this")
  private final Set<DefaultConnection> all = new LinkedHashSet<>();

  @GuardedBy("this")
  private final Map<PeerId, List<DefaultConnection>> byPeer = new HashMap<>();

  private volatile boolean closed;

  public ConnectionTable(AddressBook book) {
    this.book = book;
  }

  /** Adds a connection, unless {@link #close()} was called: then nothing happens. */
  boolean add(DefaultConnection connection) {
    PeerId peer = connection.remotePeer();
    synchronized (this) {
      if (closed) {
        return false;
      }
      all.add(connection);
      byPeer.computeIfAbsent(peer, p -> new ArrayList<>(1)).add(connection);
      book.connected(peer);
      if (connection.isInitiator()) {
        book.reachedAt(peer, connection.remoteAddress());
      }
    }
    tell(listener -> listener.onConnected(connection));
    return true;
  }

  /** Removes a connection that has ended. */
  void remove(DefaultConnection connection) {
    PeerId peer = connection.remotePeer();
    synchronized (this) {
      if (!all.remove(connection)) {
        return;
      }
      List<DefaultConnection> same =
          Objects.requireNonNull(byPeer.get(peer), "a connection is in both tables, or in none");
      same.remove(connection);
      if (same.isEmpty()) {
        byPeer.remove(peer);
        book.disconnected(peer);
      }
    }
    tell(listener -> listener.onDisconnected(connection));
  }

  /** The connection for the next stream to {@code peer}, if one takes streams. */
  public synchronized @Nullable DefaultConnection best(PeerId peer) {
    for (DefaultConnection connection : byPeer.getOrDefault(peer, List.of())) {
      if (connection.takesStreams()) {
        return connection;
      }
    }
    return null;
  }

  /** The oldest connection that was dialled at {@code address} and takes streams. */
  public synchronized @Nullable DefaultConnection dialledAt(Multiaddr address) {
    for (DefaultConnection connection : all) {
      if (connection.isInitiator()
          && connection.takesStreams()
          && connection.remoteAddress().equals(address)) {
        return connection;
      }
    }
    return null;
  }

  public synchronized List<DefaultConnection> all() {
    return List.copyOf(all);
  }

  /** How many there are. */
  public synchronized int size() {
    return all.size();
  }

  /** Whether there is a connection with {@code peer}. */
  public synchronized boolean has(PeerId peer) {
    return byPeer.containsKey(peer);
  }

  public synchronized List<DefaultConnection> of(PeerId peer) {
    return List.copyOf(byPeer.getOrDefault(peer, List.of()));
  }

  /** Takes no more connections, as the host shuts down. */
  public void close() {
    List<ConnectionListener> told;
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      told = List.copyOf(listeners);
    }
    told.forEach(listener -> tell(listener, ConnectionListener::onHostShutdown));
  }

  /** Whether the host shuts down: from then on nothing new begins. */
  public boolean isClosed() {
    return closed;
  }

  /** What the book knows about {@code peer}. */
  @Nullable PeerInfo peerInfo(PeerId peer) {
    return book.info(peer);
  }

  /** Adds a listener, which is told at once if the host shuts down already. */
  public ConnectionListener.Registration addListener(ConnectionListener listener) {
    boolean late;
    synchronized (this) {
      listeners.add(listener);
      late = closed;
    }
    if (late) {
      tell(listener, ConnectionListener::onHostShutdown);
    }
    return () -> listeners.remove(listener);
  }

  private void tell(Consumer<ConnectionListener> event) {
    listeners.forEach(listener -> tell(listener, event));
  }

  private void tell(ConnectionListener listener, Consumer<ConnectionListener> event) {
    try {
      event.accept(listener);
    } catch (RuntimeException e) {
      long leftOut = listenerFailures.leftOut();
      if (leftOut < 0) {
        logger.debug("connection listener {} failed", listener, e);
      } else {
        logger.warn("connection listener {} failed ({} more not logged)", listener, leftOut, e);
      }
    }
  }
}
