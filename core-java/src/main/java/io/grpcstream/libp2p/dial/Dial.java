package io.grpcstream.libp2p.dial;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpcstream.libp2p.DialException;
import io.grpcstream.libp2p.GatedException;
import io.grpcstream.libp2p.HostClosedException;
import io.grpcstream.libp2p.Libp2pException;
import io.grpcstream.libp2p.LimitExceededException;
import io.grpcstream.libp2p.Limits;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.PeerIdMismatchException;
import io.grpcstream.libp2p.addresses.AddressScope;
import io.grpcstream.libp2p.addresses.DialAddress;
import io.grpcstream.libp2p.connection.DefaultConnection;
import io.grpcstream.libp2p.resources.FailureText;
import io.grpcstream.libp2p.text.DurationText;
import io.grpcstream.libp2p.util.EventLoops;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One dial of one peer, over all of its addresses.
 *
 * <p>Addresses are tried in order. The next one's turn comes when one has failed, or {@link
 * #STAGGER} after the last began without having connected, so that an address that swallows packets
 * costs little (the idea of RFC 8305). Once one has connected it is given {@link #PATIENCE} to
 * become ready before another is begun. The first that is ready wins and the others are cancelled.
 * All of it has to happen within {@link Limits#dialTimeout()}.
 *
 * <p>Runs on one event loop; only the addresses that wait are shared, under the dialer's lock.
 */
final class Dial {
  /** How long an address may take to connect before the next one is tried beside it. */
  static final Duration STAGGER = Duration.ofMillis(250);

  /** How long an address that has connected may take before the next one is tried beside it. */
  static final Duration PATIENCE = Duration.ofSeconds(3);

  /** Attempts under way at once. */
  static final int MAX_PARALLEL = 8;

  /** Addresses tried in one dial, those that names stand for included. */
  static final int MAX_ADDRESSES = 64;

  final CompletableFuture<DefaultConnection> result = new CompletableFuture<>();
  final @Nullable PeerId peer;
  final Object key;
  final EventLoop loop;
  private final Dialer dialer;

  @GuardedBy("dialer")
  private final Deque<DialAttempt> waiting = new ArrayDeque<>();

  @GuardedBy("dialer")
  private final Set<Object> known = new HashSet<>();

  private final Set<DialAttempt> running = new LinkedHashSet<>();
  private final List<Multiaddr> failed = new ArrayList<>();
  private final List<Throwable> causes = new ArrayList<>();
  private final long begun = System.nanoTime();
  private final long deadline;
  private @Nullable Future<?> timeout;
  private @Nullable Future<?> nextTurn;
  private boolean ended;

  Dial(Dialer dialer, @Nullable PeerId peer, Object key) {
    this.dialer = dialer;
    this.peer = peer;
    this.key = key;
    loop = dialer.transports.group().next();
    deadline = begun + dialer.timeout.toNanos();
  }

  /** Adds addresses that are not among this dial's yet. */
  void add(List<DialAddress> addresses) {
    synchronized (dialer) {
      for (DialAddress address : addresses) {
        if (known.size() < MAX_ADDRESSES && known.add(address)) {
          waiting.addLast(new DialAttempt(dialer, this, address, null));
        }
      }
    }
  }

  boolean hasWaiting() {
    synchronized (dialer) {
      return !waiting.isEmpty();
    }
  }

  /** The time left, never less than a millisecond. */
  Duration remaining() {
    return Duration.ofNanos(
        Math.max(TimeUnit.MILLISECONDS.toNanos(1), deadline - System.nanoTime()));
  }

  /** Starts the dial; false if the event loops have ended. */
  boolean begin() {
    return EventLoops.runLater(
        loop,
        () -> {
          if (!ended) {
            timeout = loop.schedule(this::onTimeout, remaining().toNanos(), TimeUnit.NANOSECONDS);
            tryNext();
          }
        });
  }

  /**
   * Tries an address that was added, if one was, without waiting for those under way; false if the
   * event loops have ended.
   */
  boolean resume() {
    return EventLoops.runLater(
        loop,
        () -> {
          if (hasWaiting()) {
            tryNext();
          }
        });
  }

  /** Ends the dial with {@code failure}. Any thread. */
  void abort(Throwable failure) {
    if (!EventLoops.runLater(loop, () -> finish(null, failure))) {
      result.completeExceptionally(failure); // The event loop has ended, and the attempts with it.
    }
  }

  private void tryNext() {
    if (ended || running.size() >= MAX_PARALLEL) {
      return;
    }
    DialAttempt attempt;
    synchronized (dialer) {
      attempt = waiting.pollFirst();
    }
    if (attempt == null) {
      if (running.isEmpty()) {
        if (dialer.end(this, true)) {
          finish(null, failure());
        } else {
          tryNext();
        }
      }
      return;
    }
    running.add(attempt);
    nextTurnIn(STAGGER);
    attempt.begin();
  }

  private void nextTurnIn(Duration delay) {
    if (nextTurn != null) {
      nextTurn.cancel(false);
    }
    nextTurn = loop.schedule(this::tryNext, delay.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** An attempt has connected and begins its upgrade. */
  void onConnected() {
    if (!ended) {
      nextTurnIn(PATIENCE);
    }
  }

  /** An attempt found what its name stands for: these come next. */
  void onResolved(DialAttempt attempt, List<InetSocketAddress> addresses) {
    if (ended) {
      return;
    }
    running.remove(attempt);
    synchronized (dialer) {
      for (int i = addresses.size() - 1; i >= 0; i--) {
        InetSocketAddress socket = addresses.get(i);
        if (known.size() < MAX_ADDRESSES && known.add(new Resolved(socket, attempt.least()))) {
          waiting.addFirst(new DialAttempt(dialer, this, attempt.target, socket));
        }
      }
    }
    tryNext();
  }

  void onFailed(DialAttempt attempt, Throwable failure) {
    if (ended) {
      return;
    }
    running.remove(attempt);
    note(attempt, failure);
    tryNext();
  }

  private void note(DialAttempt attempt, Throwable failure) {
    failed.add(attempt.address());
    causes.add(failure);
    boolean policy = failure instanceof GatedException || failure instanceof LimitExceededException;
    if (peer != null && !policy) {
      dialer.book.failedAt(peer, attempt.address());
    }
  }

  void onReady(DialAttempt attempt, DefaultConnection connection) {
    if (ended) {
      connection.close();
      return;
    }
    if (peer != null) {
      // Whoever was asked earlier and has not answered yet is asked later the next time.
      for (DialAttempt slower : running) {
        if (slower == attempt) {
          break;
        }
        dialer.book.failedAt(peer, slower.address());
      }
      dialer.book.worked(peer, attempt.address());
    }
    running.remove(attempt);
    finish(connection, null);
  }

  private void onTimeout() {
    for (DialAttempt attempt : running) {
      note(
          attempt,
          new Libp2pException(
              "%s: not ready within %s, %s"
                  .formatted(
                      attempt.address(), DurationText.of(dialer.timeout), attempt.progress())));
    }
    finish(null, failure());
  }

  private void finish(@Nullable DefaultConnection connection, @Nullable Throwable failure) {
    if (ended) {
      return;
    }
    ended = true;
    dialer.end(this, false);
    if (timeout != null) {
      timeout.cancel(false);
    }
    if (nextTurn != null) {
      nextTurn.cancel(false);
    }
    running.forEach(DialAttempt::cancel);
    running.clear();
    if (!(failure instanceof HostClosedException)) {
      tellObservers(failure);
    }
    if (connection != null) {
      result.complete(connection);
    } else {
      result.completeExceptionally(failure);
    }
  }

  private void tellObservers(@Nullable Throwable failure) {
    if (!dialer.observers.isEmpty()) {
      Duration took = Duration.ofNanos(System.nanoTime() - begun);
      dialer.observers.tell(observer -> observer.onDialed(peer, took, failure));
    }
  }

  /** What a name was found to stand for, and in which scope it may be. */
  private record Resolved(InetSocketAddress socket, AddressScope least) {}

  /**
   * The one kind of policy that refused every address, or a list of what went wrong. That somebody
   * else answers at an address of the peer is never left unsaid: it comes first in the list.
   */
  private Throwable failure() {
    for (Class<?> kind :
        List.of(
            PeerIdMismatchException.class, GatedException.class, LimitExceededException.class)) {
      if (!causes.isEmpty() && causes.stream().allMatch(kind::isInstance)) {
        return causes.get(0);
      }
    }
    String wanted = peer == null ? "" : "peer " + peer;
    if (causes.isEmpty()) {
      return new DialException(
          "cannot dial " + wanted + ": no address of it is known", peer, failed, causes);
    }
    wrongPeersFirst();
    StringBuilder message = new StringBuilder("cannot reach ").append(peer == null ? key : wanted);
    for (int i = 0; i < causes.size(); i++) {
      message.append(i == 0 ? ": " : "; ");
      String text = FailureText.of(causes.get(i));
      if (!text.contains(failed.get(i).toString())) {
        message.append(failed.get(i)).append(": ");
      }
      message.append(text);
    }
    return new DialException(message.toString(), peer, failed, causes);
  }

  private void wrongPeersFirst() {
    int next = 0;
    for (int i = 0; i < causes.size(); i++) {
      if (causes.get(i) instanceof PeerIdMismatchException) {
        causes.add(next, causes.remove(i));
        failed.add(next++, failed.remove(i));
      }
    }
  }
}
