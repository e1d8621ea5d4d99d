package io.grpcstream.libp2p;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * An authenticated, encrypted and multiplexed connection to one peer. All methods may be called
 * from any thread; futures complete on the connection's event loop, so what depends on them must
 * not block.
 */
public interface Connection {
  /** The local peer. */
  PeerId localPeer();

  /** The peer whose identity the handshake proved. */
  PeerId remotePeer();

  /** The local end, without a peer id. */
  Multiaddr localAddress();

  /** The remote end, without a peer id: the address dialled, or the one the peer came from. */
  Multiaddr remoteAddress();

  /** Whether this side dialled. */
  boolean isInitiator();

  /** The protocol that secures the connection, such as {@code /noise}. */
  String security();

  /** The protocol that multiplexes the connection, such as {@code /yamux/1.0.0}. */
  String muxer();

  /**
   * Opens a stream and agrees on the first of {@code protocols} that the peer speaks.
   *
   * <p>Fails with {@link ProtocolNotSupportedException}, {@link LimitExceededException}, {@link
   * HostClosedException}, or another {@link java.io.IOException} if the connection or the stream
   * ended, or negotiation took longer than {@link Limits#streamNegotiationTimeout()}. Cancelling
   * the stage's {@linkplain CompletionStage#toCompletableFuture() future} gives up: a stream that
   * still arrives is reset.
   *
   * @param protocols at least one, in order of preference
   */
  CompletionStage<Stream> newStream(String... protocols);

  /** The streams that are open and have agreed on their protocol. */
  List<Stream> streams();

  /** The last round trip that was measured, if one was. */
  Optional<Duration> roundTrip();

  /**
   * What the peer told about itself by the identify protocol; empty until it has, which is shortly
   * after the connection is made, and if it never does.
   */
  Optional<PeerInfo> peerInfo();

  /** Whether the connection has not ended. */
  boolean isOpen();

  /** Completes, never exceptionally, once the connection has ended and its socket is released. */
  CompletionStage<Void> closed();

  /**
   * Tells the peer that nothing more will come and closes the connection; its streams end. For an
   * orderly end close the streams first. Idempotent; {@link #closed()} tells when it is done.
   */
  void close();
}
