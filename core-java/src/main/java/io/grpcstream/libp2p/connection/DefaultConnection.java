package io.grpcstream.libp2p.connection;

import io.grpcstream.libp2p.Connection;
import io.grpcstream.libp2p.HostClosedException;
import io.grpcstream.libp2p.Libp2pException;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.PeerInfo;
import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.addresses.SocketAddresses;
import io.grpcstream.libp2p.libraries.Libraries;
import io.grpcstream.libp2p.mux.Muxer;
import io.grpcstream.libp2p.mux.MuxerListener;
import io.grpcstream.libp2p.mux.MuxerProtocol;
import io.grpcstream.libp2p.mux.StreamChannel;
import io.grpcstream.libp2p.mux.yamux.UnresponsivePeerException;
import io.grpcstream.libp2p.resources.FailureText;
import io.grpcstream.libp2p.resources.Observers;
import io.grpcstream.libp2p.resources.Refusals;
import io.grpcstream.libp2p.util.EventLoops;
import io.grpcstream.libp2p.util.ForwardState;
import io.grpcstream.libp2p.util.ProtocolViolation;
import io.grpcstream.libp2p.util.StageFuture;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A {@link Connection} over a {@link Muxer}. Its streams come and go on the channel's event loop;
 * how far it has come itself is its {@link ConnectionState}, which any thread may move.
 */
public final class DefaultConnection implements Connection, MuxerListener, Reclaimable {
  private static final Logger logger = LoggerFactory.getLogger(DefaultConnection.class);

  private final Channel channel;
  private final ConnectionIdentity identity;
  private final ConnectionTable table;
  private final StreamRules rules;
  private final Refusals refusals;
  private final Muxer muxer;
  private final PeerId remotePeer;
  private final Multiaddr localAddress;
  private final Multiaddr remoteAddress;
  private final Set<MuxedStream> streams = ConcurrentHashMap.newKeySet();

  /** Channels of streams that have not agreed on a protocol yet. On the event loop. */
  private final Set<StreamChannel> negotiating = ConcurrentHashMap.newKeySet();

  /** Users' streams that not both sides have ended; some are closed on this one. */
  private final Set<StreamChannel> unfinished = ConcurrentHashMap.newKeySet();

  private final long openedAt = System.nanoTime();
  private final ConnectionUse use = new ConnectionUse(System::nanoTime);
  private final ForwardState<ConnectionState> state = new ForwardState<>(ConnectionState.OPEN);
  private final CompletableFuture<Void> closed = new CompletableFuture<>();
  private final CompletableFuture<Void> drained = new CompletableFuture<>();

  /** What the peer had told when the connection ended; until then the host's book knows. */
  private volatile @Nullable PeerInfo lastPeerInfo;

  private volatile @Nullable Throwable endCause;

  /** Whether this side has asked for the end; then a peer of which nothing came did not refuse. */
  private volatile boolean closedHere;

  DefaultConnection(
      Channel channel,
      ConnectionIdentity identity,
      MuxerProtocol muxers,
      ConnectionTable table,
      StreamRules rules) {
    this.channel = channel;
    this.identity = identity;
    this.table = table;
    this.rules = rules;
    refusals = rules.refusals();
    remotePeer = identity.remotePeer();
    remoteAddress = identity.remoteAddress();
    localAddress = SocketAddresses.toMultiaddr(channel.localAddress());
    muxer = muxers.create(identity.initiator(), this);
  }

  /** Takes the channel over, into the table. Returns false if the host takes no more. */
  boolean begin() {
    muxer.start(channel);
    boolean added = table.add(this);
    channel
        .closeFuture()
        .addListener(
            f -> {
              lastPeerInfo = table.peerInfo(remotePeer);
              table.remove(this);
              drained.complete(null);
              closed.complete(null);
            });
    logger.debug("{} is up", this);
    return added;
  }

  @Override
  public PeerId localPeer() {
    return identity.localPeer();
  }

  @Override
  public PeerId remotePeer() {
    return remotePeer;
  }

  @Override
  public Multiaddr localAddress() {
    return localAddress;
  }

  @Override
  public Multiaddr remoteAddress() {
    return remoteAddress;
  }

  @Override
  public boolean isInitiator() {
    return identity.initiator();
  }

  @Override
  public String security() {
    return identity.security();
  }

  @Override
  public String muxer() {
    return identity.muxer();
  }

  @Override
  public CompletionStage<Stream> newStream(String... protocols) {
    return open(ProtocolHandlers.check(protocols));
  }

  @Override
  public List<Stream> streams() {
    return List.copyOf(streams);
  }

  @Override
  public Optional<Duration> roundTrip() {
    Duration measured = muxer.roundTrip();
    return measured.isZero() ? Optional.empty() : Optional.of(measured);
  }

  @Override
  public Optional<PeerInfo> peerInfo() {
    PeerInfo last = lastPeerInfo;
    return Optional.ofNullable(last != null ? last : table.peerInfo(remotePeer));
  }

  @Override
  public boolean isOpen() {
    return channel.isActive();
  }

  @Override
  public CompletionStage<Void> closed() {
    return StageFuture.copyOf(closed);
  }

  @Override
  public void close() {
    closedHere = true;
    state.advance(ConnectionState.CLOSED);
    EventLoops.run(loop(), muxer::close);
  }

  @Override
  public long openedAt() {
    return openedAt;
  }

  @Override
  public OptionalLong unusedSince() {
    return use.unusedSince();
  }

  @Override
  public boolean closeIfUnusedSince(long when) {
    boolean givenUp = use.giveUp(when);
    if (givenUp) {
      close();
    }
    return givenUp;
  }

  /** Somebody is about to use the connection. Returns false if it is closing as nobody did. */
  public boolean touch() {
    return use.touch();
  }

  /** Opens a stream; see {@link Connection#newStream}. */
  public CompletableFuture<Stream> open(List<String> protocols) {
    OutboundNegotiation negotiation = new OutboundNegotiation(this, rules, protocols);
    use.begin();
    negotiation.result.whenComplete((stream, failure) -> use.end(false));
    if (!EventLoops.runLater(loop(), negotiation::begin)) {
      negotiation.result.completeExceptionally(streamRefusal());
    }
    return negotiation.result;
  }

  /** Whether new streams can be opened. */
  public boolean takesStreams() {
    return state.get() == ConnectionState.OPEN
        && !use.isGivenUp()
        && !isHostClosing()
        && channel.isActive();
  }

  /** Whether anything has come from the peer on it. Any thread. */
  public boolean hasHeard() {
    return muxer.hasHeard();
  }

  /** Why {@link #takesStreams()} is false. */
  Libp2pException streamRefusal() {
    if (isHostClosing()) {
      return new HostClosedException(identity.localPeer(), "cannot open a stream to " + remotePeer);
    }
    return new Libp2pException(
        "connection with peer %s at %s %s"
            .formatted(
                remotePeer,
                remoteAddress,
                isOpen() ? "takes no new streams: it is closing" : why("has ended", endCause)));
  }

  private String why(String what, @Nullable Throwable cause) {
    return cause == null ? what + hint(null) : what + ": " + explain(cause);
  }

  /** The text of {@code cause}, with what may lie behind it where it does not say so itself. */
  String explain(Throwable cause) {
    String text = FailureText.of(cause);
    String hint = hint(cause);
    return text.contains(hint) ? text : text + hint;
  }

  /**
   * What may lie behind the end of this connection, or of a stream with it, by {@code cause}: if
   * nothing ever came on it, the other side may have turned this one away once it knew who it is,
   * which is after the dialler's part of the handshake. Else nothing.
   */
  private String hint(@Nullable Throwable cause) {
    if (!identity.initiator() || muxer.hasHeard() || closedHere) {
      return "";
    }
    for (Throwable t = cause; t != null; t = t.getCause()) {
      if (t instanceof ProtocolViolation
          || t instanceof UnresponsivePeerException
          || (t instanceof SocketFailure failure && !failure.isByOtherSide())) {
        return "";
      }
    }
    return " (%s)".formatted(ConnectionUpgrade.TURNED_AWAY);
  }

  /** Whether the host shuts down: from then on nothing new begins. */
  public boolean isHostClosing() {
    return table.isClosed();
  }

  /** The event loop on which the connection lives. */
  public EventLoop loop() {
    return channel.eventLoop();
  }

  /** A new outbound stream channel. On the event loop. */
  Future<? extends StreamChannel> openChannel() {
    EventLoops.assertOn(loop());
    return muxer.openStream();
  }

  /**
   * Notes a stream that has not agreed on its protocol. On the event loop.
   *
   * @return false if the connection is closing, as nobody used it: then no stream may begin on it
   */
  boolean negotiating(StreamChannel stream) {
    EventLoops.assertOn(loop());
    negotiating.add(stream);
    boolean takesStreams = use.begin();
    stream.closeFuture().addListener(f -> negotiated(stream));
    return takesStreams;
  }

  private void negotiated(StreamChannel stream) {
    if (negotiating.remove(stream)) {
      use.end(false);
    }
  }

  /** Makes the stream of a channel whose protocol is agreed. On the event loop. */
  Stream admit(StreamChannel stream, String protocol, boolean outbound) {
    EventLoops.assertOn(loop());
    boolean own = rules.handlers().isOwn(protocol);
    // What peers have of the host itself, such as pings, is nobody's use of the connection.
    if (outbound || !own) {
      use.begin();
      stream.finished().addListener(f -> use.end(!own));
    }
    negotiated(stream);
    MuxedStream admitted =
        new MuxedStream(
            stream,
            identity.localPeer(),
            remotePeer,
            localAddress,
            remoteAddress,
            protocol,
            outbound,
            refusals);
    streams.add(admitted);
    Observers observers = rules.observers();
    if (!observers.isEmpty()) {
      observers.tell(observer -> observer.onStreamOpened(this, admitted));
    }
    stream
        .closeFuture()
        .addListener(
            f -> {
              streams.remove(admitted);
              if (!observers.isEmpty()) {
                observers.tell(observer -> observer.onStreamClosed(this, admitted));
              }
              checkDrained();
            });
    if (!own) {
      unfinished.add(stream);
      stream.finished().addListener(f -> onFinished(stream));
    }
    if (isHostClosing()) {
      admitted.onHostShutdown();
    }
    return admitted;
  }

  @Override
  public void onInboundStream(StreamChannel stream) {
    EventLoops.assertOn(loop());
    new InboundNegotiation(this, rules, stream).begin();
  }

  @Override
  public void onInboundRefused(String reason) {
    refusals.add(
        Refusal.STREAMS_PER_PEER,
        "%s, from peer %s at %s".formatted(reason, remotePeer, remoteAddress));
  }

  @Override
  public void onRoundTrip(long nanos) {
    Observers observers = rules.observers();
    if (!observers.isEmpty()) {
      Duration measured = Duration.ofNanos(nanos);
      observers.tell(observer -> observer.onRoundTrip(this, measured));
    }
  }

  @Override
  public void onGoAway(String reason) {
    state.advance(ConnectionState.PEER_GOING_AWAY);
    logger.debug("{} takes no new streams: the peer goes away ({})", this, reason);
  }

  @Override
  public void onClosed(@Nullable Throwable cause) {
    EventLoops.assertOn(loop());
    endCause = cause;
    state.advance(ConnectionState.CLOSED);
    if (cause != null && Libraries.linkageError(cause) != null) {
      refusals.add(
          Refusal.FAILED_HERE,
          "connection with peer %s at %s closed, as this side failed: %s"
              .formatted(remotePeer, remoteAddress, FailureText.of(cause)));
    } else if (cause instanceof ProtocolViolation) {
      refusals.add(
          Refusal.PROTOCOL_VIOLATION,
          "peer %s at %s broke the protocol, connection closed: %s"
              .formatted(remotePeer, remoteAddress, FailureText.of(cause)));
    } else if (cause instanceof UnresponsivePeerException) {
      refusals.add(
          Refusal.UNRESPONSIVE,
          "peer %s at %s, connection closed: %s"
              .formatted(remotePeer, remoteAddress, FailureText.of(cause)));
    } else if (cause instanceof OutOfMemoryError) {
      refusals.add(
          Refusal.OUT_OF_MEMORY,
          "no memory for peer %s at %s, connection closed: %s"
              .formatted(remotePeer, remoteAddress, FailureText.of(cause)));
    } else {
      logger.debug("{} has ended", this, cause);
    }
    channel.close();
  }

  /**
   * Takes no new streams, cuts those still negotiating, asks the users of the others to end them,
   * and completes once no stream of a user is left on either side: before the peer has ended a
   * stream, too, closing the connection could lose what was written last. The peer is told by
   * GOAWAY when the connection closes, not now: go-yamux and rust-yamux close the whole connection
   * when they receive one, with the streams that are to drain. Any thread.
   */
  public CompletableFuture<Void> drain() {
    EventLoops.run(
        loop(),
        () -> {
          state.advance(ConnectionState.DRAINING);
          muxer.refuseInbound();
          List.copyOf(negotiating).forEach(StreamChannel::reset);
          List.copyOf(streams).forEach(MuxedStream::onHostShutdown);
          checkDrained();
        });
    return drained;
  }

  /**
   * In a task of its own, since the end of a stream may come in the middle of the session's work.
   */
  private void onFinished(StreamChannel stream) {
    unfinished.remove(stream);
    if (state.hasReached(ConnectionState.DRAINING)) {
      EventLoops.runLater(loop(), this::checkDrained);
    }
  }

  private void checkDrained() {
    EventLoops.assertOn(loop());
    if (state.hasReached(ConnectionState.DRAINING)
        && unfinished.isEmpty()
        && streams.stream().allMatch(this::isOwn)) {
      drained.complete(null);
    }
  }

  private boolean isOwn(Stream stream) {
    return rules.handlers().isOwn(stream.protocol());
  }

  @Override
  public String toString() {
    return "connection %s peer %s at %s"
        .formatted(identity.initiator() ? "to" : "from", remotePeer, remoteAddress);
  }
}
