package io.grpcstream.libp2p.connection;

import io.grpcstream.libp2p.Connection;
import io.grpcstream.libp2p.GatedException;
import io.grpcstream.libp2p.HostClosedException;
import io.grpcstream.libp2p.Libp2pException;
import io.grpcstream.libp2p.LimitExceededException;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.PeerIdMismatchException;
import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.crypto.PublicKey;
import io.grpcstream.libp2p.multistream.MultistreamInitiator;
import io.grpcstream.libp2p.multistream.MultistreamResponder;
import io.grpcstream.libp2p.multistream.MultistreamSelector;
import io.grpcstream.libp2p.resources.FailureText;
import io.grpcstream.libp2p.resources.Observers;
import io.grpcstream.libp2p.resources.ResourceManager.ConnectionSlot;
import io.grpcstream.libp2p.security.SecuredConnection;
import io.grpcstream.libp2p.text.DurationText;
import io.grpcstream.libp2p.util.EventLoops;
import io.grpcstream.libp2p.util.Futures;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Makes a {@link Connection} of a raw channel, in either role: a security protocol is agreed, its
 * handshake proves the peer, a muxer is agreed (inside the handshake, or after it), and the
 * connection goes into the table.
 *
 * <p>All of it within a deadline: whatever fails, or takes too long, closes the channel, and
 * closing the channel is what releases the connection's slot. Runs on the channel's event loop.
 */
public final class ConnectionUpgrade {
  /** Why a peer that is there may close a connection without a word, as libp2p's protocols do. */
  static final String TURNED_AWAY =
      "the other side may be at a limit of its connections, or its connection gater may refuse"
          + " this host";

  private final ConnectionUpgrader upgrader;
  private final Channel channel;
  private final ConnectionSlot slot;
  private final Multiaddr remoteAddress;
  private final boolean initiator;
  private final @Nullable PeerId expected;
  private final CompletableFuture<DefaultConnection> result = new CompletableFuture<>();
  private FailureWatch watch = new FailureWatch();
  private volatile boolean givenUp;
  private boolean counted;
  private boolean ended;
  private long begun;
  private final UpgradeProgress progress = new UpgradeProgress();
  private String security = "";
  private @Nullable PeerId peer;
  private @Nullable Future<?> deadline;

  /**
   * An upgrade to {@linkplain #begin begin}.
   *
   * @param expected the peer that must be there; null if any will do
   */
  ConnectionUpgrade(
      ConnectionUpgrader upgrader,
      Channel channel,
      ConnectionSlot slot,
      Multiaddr remoteAddress,
      boolean initiator,
      @Nullable PeerId expected) {
    this.upgrader = upgrader;
    this.channel = channel;
    this.slot = slot;
    this.remoteAddress = remoteAddress;
    this.initiator = initiator;
    this.expected = expected;
  }

  /** How far it has come, for the text of a dial that gives up. Any thread. */
  public String progress() {
    return "while %s: %s".formatted(progress.step(), progress.received());
  }

  /** The connection, in the table by then; or why there is none, with the channel closed. */
  public CompletableFuture<DefaultConnection> result() {
    return result;
  }

  /**
   * Begins, when the channel is registered; the first byte is sent when it is active.
   *
   * @param timeout until the peer is proven (inbound), or until all is done (outbound)
   */
  void begin(Duration timeout) {
    upgrader.begun(this);
    // As long as the connection lives, its channel keeps the slot, but not this upgrade.
    ConnectionSlot held = slot;
    channel.closeFuture().addListener(f -> held.release());
    if (upgrader.table.isClosed()) {
      abort();
      return;
    }
    begun = System.nanoTime();
    expireIn(timeout);
    channel.pipeline().addFirst(new SocketErrors(), progress);
    if (!upgrader.streams.observers().isEmpty()) {
      channel.pipeline().addFirst(new TrafficCounter(upgrader.streams.resources().traffic()));
    }
    channel.pipeline().addLast(watch);
    negotiate(upgrader.securityIds(), timeout, this::secure);
  }

  /** Its channel is closed next, as another address was quicker: that is no failure. Any thread. */
  public void giveUp() {
    givenUp = true;
  }

  /** Ends the upgrade because the host shuts down; completes when it is closed. Any thread. */
  CompletableFuture<Void> abort() {
    HostClosedException failure =
        new HostClosedException(upgrader.self, "broke off the connection with " + remoteAddress);
    if (!EventLoops.run(channel.eventLoop(), () -> fail(failure))) {
      // The event loop has ended, and the channel with it.
      upgrader.ended(this);
      result.completeExceptionally(failure);
    }
    return Futures.closed(channel);
  }

  private void negotiate(List<String> ids, Duration timeout, Consumer<String> next) {
    MultistreamSelector selector =
        initiator
            ? new MultistreamInitiator(ids, timeout)
            : new MultistreamResponder(ids::contains, timeout);
    channel.pipeline().addLast(selector);
    watchLast();
    selector.agreed().addListener((Future<String> agreed) -> then(agreed, next));
  }

  /** Goes on with the outcome of one step, or fails with its failure, or with that of the next. */
  private <T> void then(Future<T> outcome, Consumer<T> next) {
    if (!outcome.isSuccess()) {
      fail(outcome.cause());
    } else if (!ended) {
      try {
        next.accept(outcome.getNow());
      } catch (RuntimeException | LinkageError e) {
        fail(e);
      }
    }
  }

  private void secure(String protocol) {
    progress.step("securing with " + protocol);
    security = protocol;
    upgrader
        .security(protocol)
        .secure(channel, initiator, List.of(upgrader.muxer.id()), this::checkPeer)
        .addListener((Future<SecuredConnection> secured) -> then(secured, this::onSecured));
    watchLast();
  }

  /**
   * Called inside the handshake, before anything of this side's that the peer could use is sent.
   */
  private void checkPeer(PublicKey key) throws Libp2pException {
    PeerId proven = PeerId.of(key);
    if (expected != null && !expected.equals(proven)) {
      PeerIdMismatchException mismatch =
          new PeerIdMismatchException(expected, proven, remoteAddress);
      counted = true;
      upgrader.refusals.add(Refusal.PEER_ID_MISMATCH, String.valueOf(mismatch.getMessage()));
      throw mismatch;
    }
    if (proven.equals(upgrader.self)) {
      String message = "the peer at " + remoteAddress + " is this host itself";
      counted = true;
      upgrader.refusals.add(Refusal.SELF, message);
      throw new Libp2pException(message);
    }
    boolean allowed =
        upgrader.refusals.allows(
            "allowPeer", () -> upgrader.gater.allowPeer(proven, remoteAddress, initiator));
    if (!allowed) {
      counted = true;
      throw upgrader.refusals.gated(
          Refusal.GATED_PEER,
          "the connection gater refused peer " + proven + " at " + remoteAddress);
    }
    try {
      slot.setPeer(proven);
    } catch (LimitExceededException e) {
      counted = true;
      throw e;
    }
    peer = proven;
  }

  private void onSecured(SecuredConnection secured) {
    progress.step("negotiating the muxer");
    if (!initiator) {
      expireIn(upgrader.upgradeTimeout);
    }
    String muxer = secured.muxer();
    if (muxer == null) {
      negotiate(List.of(upgrader.muxer.id()), upgrader.upgradeTimeout, agreed -> multiplex());
    } else if (muxer.equals(upgrader.muxer.id())) {
      multiplex();
    } else {
      fail(new Libp2pException("the handshake agreed on the unknown muxer " + muxer));
    }
  }

  private void multiplex() {
    if (peer == null) {
      fail(new Libp2pException("the handshake did not check the peer's key"));
      return;
    }
    progress.step("starting " + upgrader.muxer.id());
    DefaultConnection connection =
        new DefaultConnection(
            channel,
            new ConnectionIdentity(
                upgrader.self, peer, remoteAddress, initiator, security, upgrader.muxer.id()),
            upgrader.muxer,
            upgrader.table,
            upgrader.streams);
    boolean added = connection.begin();
    if (ended) {
      return; // The watch, which still stood before the muxer, was told why that cannot begin.
    }
    channel.pipeline().remove(watch);
    channel.pipeline().remove(progress);
    upgrader.ended(this);
    cancelDeadline();
    if (added) {
      ended = true;
      tellObservers(null);
      result.complete(connection);
    } else {
      fail(
          new HostClosedException(upgrader.self, "broke off the connection with " + remoteAddress));
    }
  }

  /** Sets the deadline to {@code timeout} after the beginning. */
  private void expireIn(Duration timeout) {
    cancelDeadline();
    long nanos = timeout.toNanos() - (System.nanoTime() - begun);
    deadline =
        channel
            .eventLoop()
            .schedule(
                () ->
                    fail(
                        new Libp2pException(
                            "not done within %s: %s"
                                .formatted(DurationText.of(timeout), progress.received()))),
                nanos,
                TimeUnit.NANOSECONDS);
  }

  private void cancelDeadline() {
    if (deadline != null) {
      deadline.cancel(false);
    }
  }

  private void fail(@Nullable Throwable cause) {
    if (ended) {
      return;
    }
    // Closing the channel comes back here: the first failure is the one that counts.
    ended = true;
    upgrader.ended(this);
    cancelDeadline();
    Libp2pException failure = describe(cause);
    if (!initiator && !counted && !(failure instanceof HostClosedException)) {
      String text = String.valueOf(failure.getMessage());
      if (progress.isNobodysFault()) {
        upgrader.refusals.addQuietly(Refusal.UPGRADE_FAILED, text);
      } else {
        upgrader.refusals.add(Refusal.UPGRADE_FAILED, text);
      }
    }
    if (!givenUp && !(failure instanceof HostClosedException)) {
      tellObservers(failure);
    }
    channel.close();
    result.completeExceptionally(failure);
  }

  private void tellObservers(@Nullable Libp2pException failure) {
    Observers observers = upgrader.streams.observers();
    Duration took = progress.sinceConnected();
    if (took != null && !observers.isEmpty()) {
      observers.tell(observer -> observer.onHandshake(initiator, security, took, failure));
    }
  }

  /** Failures that say all themselves stay as they are; others get the address and the step. */
  private Libp2pException describe(@Nullable Throwable cause) {
    if (cause instanceof PeerIdMismatchException
        || cause instanceof GatedException
        || cause instanceof LimitExceededException
        || cause instanceof HostClosedException) {
      return (Libp2pException) cause;
    }
    // The dial names the peer that it wants.
    String who = peer != null && expected == null ? "peer " + peer + " at " : "";
    String what = cause == null ? "cancelled" : FailureText.of(cause);
    String without =
        upgrader.withoutBoringSsl != null && progress.step().contains("secur")
            ? " (without BoringSSL: " + upgrader.withoutBoringSsl + ")"
            : "";
    return new Libp2pException(
        "connection with %s%s failed while %s: %s%s%s"
            .formatted(who, remoteAddress, progress.step(), what, without, hint()),
        cause);
  }

  /** What may lie behind an end for which the other side has given no reason. */
  private String hint() {
    return initiator && progress.endedThere ? " (%s)".formatted(TURNED_AWAY) : "";
  }

  /** Puts the watch behind what was added since. */
  private void watchLast() {
    channel.pipeline().remove(watch);
    watch = new FailureWatch();
    channel.pipeline().addLast(watch);
  }

  /**
   * Last in the pipeline until the muxer is: an error that no one above handles ends the upgrade,
   * and so does the end of the channel, of which those above have heard before and said more.
   */
  private final class FailureWatch extends ChannelInboundHandlerAdapter {
    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      fail(cause);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      fail(new Libp2pException("the channel closed"));
    }

    /** Without {@code channelInactive} if the channel never was active. */
    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
      if (!channel.isOpen()) {
        fail(new Libp2pException("the channel closed"));
      }
    }
  }
}
