package io.grpcstream.libp2p.upkeep;

import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.PeerIdMismatchException;
import io.grpcstream.libp2p.connection.Reclaimable;
import io.grpcstream.libp2p.text.DurationText;
import io.grpcstream.libp2p.util.EventLoops;
import io.grpcstream.libp2p.util.Futures;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One peer that is to be kept connected. Whatever happens asks {@link #check()} to look how things
 * stand: if there is no connection, no dial and no timer, it sets a timer or dials.
 *
 * <p>The delays grow with each attempt, and start over after a connection that lasted {@link
 * #LASTED}: a peer that takes connections and ends them at once, because it has no room or does not
 * want us, is not asked more often than one that does not answer. Where another peer answers the
 * delay is the longest at once: nothing changes there by itself, as a rule, and each dial tells a
 * stranger that we look for the peer.
 *
 * <p>Runs on one event loop.
 */
final class KeptPeer {
  /** How long a connection must have stood for the delays to start over. */
  static final Duration LASTED = Duration.ofSeconds(30);

  /**
   * How long a connection that is not needed beside another one is left alone, and again where it
   * is in use: both sides have found their streams a place by then.
   */
  static final Duration SETTLED = Duration.ofSeconds(10);

  /** Between two dials, whatever is new: who can make an address known must not make us a flood. */
  static final Duration LEAST_PAUSE = Duration.ofSeconds(1);

  private static final Logger logger = LoggerFactory.getLogger(Host.class);

  private final KeptPeers all;
  private final PeerId peer;
  private final RedialBackoff backoff;
  private volatile @Nullable EventExecutor loop;

  // What follows is used on the event loop only.
  private @Nullable Future<?> timer;
  private @Nullable Future<?> settling;
  private @Nullable CompletableFuture<?> dial;
  private boolean connected;
  private boolean everConnected;
  private long connectedAt;
  private boolean everDialled;
  private long dialledAt;
  private boolean isNews;
  private boolean warned;
  private boolean ended;

  KeptPeer(KeptPeers all, PeerId peer) {
    this.all = all;
    this.peer = peer;
    backoff = new RedialBackoff(all.random);
  }

  /** Begins: dials now, if there is no connection. */
  void start(EventExecutor loop) {
    this.loop = loop;
    check();
  }

  /** Looks how things stand. Any thread. */
  void check() {
    run(this::checkNow);
  }

  /** Something is known now that makes it worth to dial at once. Any thread. */
  void onNews() {
    run(
        () -> {
          if (!connected && !ended) {
            isNews = true;
            stopTimer();
            checkNow();
          }
        });
  }

  /** Dials no more; a connection that stands is left. Any thread. */
  void end() {
    run(
        () -> {
          ended = true;
          stopTimer();
          if (settling != null) {
            settling.cancel(false);
          }
          if (dial != null) {
            dial.cancel(false);
          }
        });
  }

  private void run(Runnable task) {
    EventExecutor own = loop;
    if (own != null) {
      EventLoops.runLater(own, task);
    }
  }

  private void checkNow() {
    if (ended) {
      return;
    }
    if (all.isConnected(peer)) {
      if (!connected) {
        onConnected();
      }
      settle();
      return;
    }
    if (connected) {
      onLost();
    }
    if (dial == null && timer == null) {
      long delay = delayNanos();
      if (delay <= 0) {
        dial();
      } else {
        dialIn(delay);
      }
    }
  }

  private long delayNanos() {
    if (isNews && everDialled) {
      return LEAST_PAUSE.toNanos() - (all.now() - dialledAt);
    }
    return isNews || !everDialled && !everConnected ? 0 : backoff.nextNanos();
  }

  private void dialIn(long nanos) {
    EventExecutor own = loop;
    if (own != null) {
      logger.debug("peer {}, to be kept connected, is dialled in {}", peer, text(nanos));
      timer =
          EventLoops.schedule(
              own,
              () -> {
                timer = null;
                if (!ended && !all.isConnected(peer)) {
                  dial();
                }
              },
              Duration.ofNanos(nanos));
    }
  }

  private static String text(long nanos) {
    return DurationText.ofNanos(nanos);
  }

  private void dial() {
    everDialled = true;
    isNews = false;
    dialledAt = all.now();
    CompletableFuture<?> begun = all.dial(peer);
    dial = begun;
    begun.whenComplete((connection, failure) -> run(() -> onDialled(failure)));
  }

  private void onDialled(@Nullable Throwable wrapped) {
    dial = null;
    if (wrapped != null && !ended) {
      Throwable failure = Futures.unwrap(wrapped);
      logger.debug("peer {}, to be kept connected, was not reached", peer, failure);
      if (failure instanceof PeerIdMismatchException) {
        backoff.toLongest();
      }
      if (backoff.isLongest() && !warned) {
        warned = true;
        logger.warn(
            "peer {} is to be kept connected and cannot be reached; it is dialled every {} or so"
                + " until it can: {}",
            peer,
            DurationText.of(RedialBackoff.LONGEST),
            failure.getMessage());
      }
    }
    checkNow();
  }

  private void onConnected() {
    connected = true;
    everConnected = true;
    connectedAt = all.now();
    isNews = false;
    stopTimer();
    if (warned) {
      logger.info("peer {}, to be kept connected, is connected again", peer);
    }
  }

  private void onLost() {
    connected = false;
    long stood = all.now() - connectedAt;
    logger.debug("peer {}, to be kept connected, was connected for {}", peer, text(stood));
    if (stood >= LASTED.toNanos()) {
      backoff.reset();
      warned = false;
    }
  }

  /** Has one connection stay where two sides have dialled each other. */
  private void settle() {
    EventExecutor own = loop;
    if (settling == null && own != null && !all.surplus(peer).isEmpty()) {
      settling = EventLoops.schedule(own, this::closeSurplus, SETTLED);
    }
  }

  private void closeSurplus() {
    settling = null;
    if (ended) {
      return;
    }
    for (Reclaimable connection : all.surplus(peer)) {
      OptionalLong unused = connection.unusedSince();
      if (unused.isPresent() && connection.closeIfUnusedSince(unused.getAsLong())) {
        logger.debug("{} is closed: the peer, to be kept connected, has dialled, too", connection);
      }
    }
    settle(); // Those that are in use.
  }

  private void stopTimer() {
    if (timer != null) {
      timer.cancel(false);
      timer = null;
    }
  }
}
