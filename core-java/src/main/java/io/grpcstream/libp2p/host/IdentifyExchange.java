package io.grpcstream.libp2p.host;

import io.grpcstream.libp2p.Connection;
import io.grpcstream.libp2p.ConnectionListener;
import io.grpcstream.libp2p.Libp2pException;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.addresses.AddressBook;
import io.grpcstream.libp2p.addresses.AddressScope;
import io.grpcstream.libp2p.addresses.DialTarget;
import io.grpcstream.libp2p.connection.ConnectionTable;
import io.grpcstream.libp2p.connection.DefaultConnection;
import io.grpcstream.libp2p.connection.ProtocolHandlers;
import io.grpcstream.libp2p.crypto.PublicKey;
import io.grpcstream.libp2p.protocol.identify.Identify;
import io.grpcstream.libp2p.protocol.identify.IdentifyProtocol;
import io.grpcstream.libp2p.transport.Transports;
import io.grpcstream.libp2p.util.EventLoops;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a host and its peers tell each other about themselves: asks each new peer, answers the peers
 * that ask, and pushes to those connected what has changed since. What a peer says is kept only
 * while it is known (see {@link AddressBook}), and a peer that says nothing is as good as any
 * other.
 */
final class IdentifyExchange implements ConnectionListener {
  /** How long changes are gathered before they are pushed. */
  static final Duration PUSH_DELAY = Duration.ofMillis(100);

  /** The family of protocols that libp2p peers tell each other they belong to. */
  static final String PROTOCOL_VERSION = "ipfs/0.1.0";

  /** Protocols that a warning names. */
  private static final int MAX_SHOWN = 5;

  private static final Logger logger = LoggerFactory.getLogger(IdentifyExchange.class);

  private final PeerId self;
  private final ProtocolHandlers handlers;
  private final AddressBook book;
  private final ConnectionTable table;
  private final Transports transports;
  private final PublicKey publicKey;
  private final String agentVersion;
  private final Supplier<List<Multiaddr>> listenAddresses;
  private final AtomicBoolean pushPlanned = new AtomicBoolean();
  private final AtomicBoolean warned = new AtomicBoolean();

  IdentifyExchange(
      PeerId self,
      ProtocolHandlers handlers,
      AddressBook book,
      ConnectionTable table,
      Transports transports,
      PublicKey publicKey,
      String agentVersion,
      Supplier<List<Multiaddr>> listenAddresses) {
    this.self = self;
    this.handlers = handlers;
    this.book = book;
    this.table = table;
    this.transports = transports;
    this.publicKey = publicKey;
    this.agentVersion = agentVersion;
    this.listenAddresses = listenAddresses;
  }

  /** Answers queries and takes pushes from now on. */
  void serve() {
    handlers.put(IdentifyProtocol.ID, IdentifyProtocol.responder(this::self));
    handlers.put(
        IdentifyProtocol.PUSH_ID,
        IdentifyProtocol.pushReceiver(IdentifyExchange::isDialable, this::learn));
  }

  private Identify self() {
    Identify all =
        new Identify(
            PROTOCOL_VERSION,
            agentVersion,
            publicKey,
            listenAddresses.get().stream().map(Multiaddr::withoutPeerId).toList(),
            null,
            handlers.protocols());
    Identify told = IdentifyProtocol.fit(all);
    if (told != all && !warned.getAndSet(true)) {
      logger.warn(
          "host {} cannot tell peers all about itself, as an identify message holds {} bytes: told"
              + " are {} of {} protocols, left out {}; and {} of {} addresses",
          self,
          IdentifyProtocol.SEND_LIMIT,
          told.protocols().size(),
          all.protocols().size(),
          shown(all.protocols().subList(told.protocols().size(), all.protocols().size())),
          told.listenAddresses().size(),
          all.listenAddresses().size());
    }
    return told;
  }

  private static String shown(List<String> left) {
    return left.size() <= MAX_SHOWN
        ? left.toString()
        : left.subList(0, MAX_SHOWN) + " and " + (left.size() - MAX_SHOWN) + " more";
  }

  /** Whether this host has a transport for it, so that it is worth keeping before others. */
  private static boolean isDialable(Multiaddr address) {
    try {
      DialTarget.of(address);
      return true;
    } catch (Libp2pException e) {
      return false; // It is told to others all the same.
    }
  }

  @Override
  public void onConnected(Connection connection) {
    DefaultConnection peer = (DefaultConnection) connection;
    peer.open(List.of(IdentifyProtocol.ID))
        .thenCompose(
            stream ->
                IdentifyProtocol.query(stream, IdentifyExchange::isDialable)
                    .thenAccept(told -> learn(stream, told)))
        .whenComplete(
            (done, failure) -> {
              if (failure != null) {
                logger.debug("{} did not identify itself", peer, failure);
              }
            });
  }

  private void learn(Stream stream, Identify told) {
    try {
      book.told(
          stream.remotePeer(),
          told,
          AddressScope.ofPeer(stream.localAddress(), stream.remoteAddress()));
    } catch (Libp2pException e) {
      throw new IllegalStateException("a connection whose address has no transport", e);
    }
  }

  /** Tells connected peers, soon, what protocols and addresses this host has now. */
  void changed() {
    if (!transports.isStarted() || table.isClosed() || !pushPlanned.compareAndSet(false, true)) {
      return;
    }
    EventLoops.schedule(transports.group().next(), this::push, PUSH_DELAY);
  }

  private void push() {
    pushPlanned.set(false);
    if (table.isClosed()) {
      return;
    }
    Identify now = self();
    for (DefaultConnection connection : table.all()) {
      boolean takesPush =
          connection
              .peerInfo()
              .map(told -> told.protocols().contains(IdentifyProtocol.PUSH_ID))
              .orElse(true);
      if (takesPush) {
        connection
            .open(List.of(IdentifyProtocol.PUSH_ID))
            .thenCompose(stream -> IdentifyProtocol.push(stream, now))
            .whenComplete(
                (done, failure) -> {
                  if (failure != null) {
                    logger.debug("{} did not take an identify push", connection, failure);
                  }
                });
      }
    }
  }
}
