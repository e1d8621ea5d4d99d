package io.grpcstream.libp2p.upkeep;

import io.grpcstream.libp2p.Connection;
import io.grpcstream.libp2p.ConnectionListener;
import io.grpcstream.libp2p.ConnectionManager;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.connection.Reclaimable;
import io.grpcstream.libp2p.text.DurationText;
import io.grpcstream.libp2p.util.EventLoops;
import io.grpcstream.libp2p.util.LogRateLimit;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Closes the connections that are worth least, as a {@link ConnectionManager} says.
 *
 * <p>A <em>trim</em> begins when a connection comes that makes one too many, and looks at all of
 * them; then it is silent for a while. So however fast peers come and go, it costs one look in a
 * silence period. As in go-libp2p, as many are closed as there are more than the low-water mark
 * among those that are old enough and not protected: connections that have just come do not count,
 * or a crowd of them would drive all others away.
 *
 * <p>A <em>sweep</em> closes what is unused for too long, and sets the time of the next one by the
 * connection that will be so first.
 *
 * <p>Both only propose: whether a connection is unused still is asked of it as it is closed, by one
 * step with its use. Runs on one event loop.
 */
public final class ConnectionTrimmer implements ConnectionListener {
  /** A sweep is at most so much of the idle time-out late, so that there are few of them. */
  private static final int SWEEPS = 10;

  private static final Logger logger = LoggerFactory.getLogger(Host.class);

  private final PeerId self;
  private final ConnectionManager manager;
  private final IntSupplier count;
  private final Supplier<? extends List<? extends Reclaimable>> connections;
  private final ProtectedPeers protectedPeers;
  private final LongSupplier nanoTime;
  private final LogRateLimit tooMany;
  private final AtomicLong trimmed = new AtomicLong();
  private final AtomicLong idleClosed = new AtomicLong();
  private volatile @Nullable EventExecutor loop;

  // What follows is used on the event loop only.
  private @Nullable Future<?> nextTrim;
  private @Nullable Future<?> nextSweep;
  private boolean hasTrimmed;
  private long lastTrim;
  private boolean ended;

  /**
   * Closes nothing until it is started.
   *
   * @param count how many connections there are
   * @param connections the connections there are
   */
  public ConnectionTrimmer(
      PeerId self,
      ConnectionManager manager,
      IntSupplier count,
      Supplier<? extends List<? extends Reclaimable>> connections,
      ProtectedPeers protectedPeers,
      LongSupplier nanoTime) {
    this.self = self;
    this.manager = manager;
    this.count = count;
    this.connections = connections;
    this.protectedPeers = protectedPeers;
    this.nanoTime = nanoTime;
    tooMany = new LogRateLimit(1, Duration.ofMinutes(10), nanoTime);
  }

  /** Begins, with its timers on {@code loop}, before there are connections. */
  public void start(EventExecutor loop) {
    this.loop = loop;
    EventLoops.run(loop, () -> sweepIn(manager.idleTimeout()));
  }

  /** How many connections it closed above the high-water mark. */
  public long trimmed() {
    return trimmed.get();
  }

  /** How many connections it closed as they were unused for too long. */
  public long idleClosed() {
    return idleClosed.get();
  }

  @Override
  public void onConnected(Connection connection) {
    EventExecutor own = loop;
    if (own != null && isTooMany(count.getAsInt())) {
      EventLoops.runLater(own, this::planTrim);
    }
  }

  /** Cancels the timers. */
  @Override
  public void onHostShutdown() {
    EventExecutor own = loop;
    if (own != null) {
      EventLoops.run(own, this::end);
    }
  }

  private void end() {
    ended = true;
    if (nextTrim != null) {
      nextTrim.cancel(false);
    }
    if (nextSweep != null) {
      nextSweep.cancel(false);
    }
  }

  private boolean isTooMany(int connections) {
    return manager.highWater() > 0 && connections > manager.highWater();
  }

  private void planTrim() {
    EventExecutor own = loop;
    if (own == null || ended || nextTrim != null) {
      return;
    }
    long silence = manager.silencePeriod().toNanos();
    long left = hasTrimmed ? silence - (nanoTime.getAsLong() - lastTrim) : 0;
    nextTrim = EventLoops.schedule(own, this::trim, Duration.ofNanos(Math.max(0, left)));
  }

  private void trim() {
    nextTrim = null;
    if (ended) {
      return;
    }
    List<? extends Reclaimable> all = connections.get();
    if (!isTooMany(all.size())) {
      return;
    }
    long now = nanoTime.getAsLong();
    hasTrimmed = true;
    lastTrim = now;
    Candidates found = candidates(all, now);
    int closed = close(found.unused, found.old - manager.lowWater(), now);
    if (isTooMany(all.size() - closed)) {
      warn(all.size(), closed, found);
      planTrim();
    }
  }

  private Candidates candidates(List<? extends Reclaimable> all, long now) {
    Candidates found = new Candidates();
    for (Reclaimable connection : all) {
      if (protectedPeers.contains(connection.remotePeer())) {
        found.isProtected++;
      } else if (now - connection.openedAt() < manager.gracePeriod().toNanos()) {
        found.fresh++;
      } else {
        found.old++;
        OptionalLong since = connection.unusedSince();
        if (since.isPresent()) {
          found.unused.add(new Unused(connection, since.getAsLong()));
        }
      }
    }
    found.unused.sort(Comparator.comparingLong(unused -> unused.since - now));
    return found;
  }

  private int close(List<Unused> longestFirst, int most, long now) {
    int closed = 0;
    for (Unused unused : longestFirst) {
      if (closed >= most) {
        break;
      }
      if (unused.close()) {
        closed++;
        trimmed.incrementAndGet();
        logger.debug(
            "{} trimmed, above the high-water mark of {} connections: unused for {}",
            unused.connection,
            manager.highWater(),
            DurationText.ofNanos(now - unused.since));
      }
    }
    return closed;
  }

  private void warn(int connections, int closed, Candidates found) {
    long leftOut = tooMany.leftOut();
    if (leftOut >= 0) {
      logger.warn(
          "host {} has {} connections, above its high-water mark of {}, and could close {}: {} are"
              + " with protected peers, {} younger than the grace period of {}, {} in use ({} such"
              + " lines left out)",
          self,
          connections,
          manager.highWater(),
          closed,
          found.isProtected,
          found.fresh,
          DurationText.of(manager.gracePeriod()),
          found.old - found.unused.size(),
          leftOut);
    }
  }

  private void sweepIn(Duration delay) {
    EventExecutor own = loop;
    if (own != null && !ended && !manager.idleTimeout().isZero()) {
      nextSweep = EventLoops.schedule(own, this::sweep, delay);
    }
  }

  private void sweep() {
    long timeout = manager.idleTimeout().toNanos();
    long now = nanoTime.getAsLong();
    long next = timeout;
    for (Reclaimable connection : connections.get()) {
      OptionalLong since = connection.unusedSince();
      if (since.isEmpty() || protectedPeers.contains(connection.remotePeer())) {
        continue;
      }
      long unusedFor = now - since.getAsLong();
      if (unusedFor < timeout) {
        next = Math.min(next, timeout - unusedFor);
      } else if (connection.closeIfUnusedSince(since.getAsLong())) {
        idleClosed.incrementAndGet();
        logger.debug(
            "{} closed, unused for {}, the idle time-out is {}",
            connection,
            DurationText.ofNanos(unusedFor),
            DurationText.of(manager.idleTimeout()));
      }
    }
    sweepIn(Duration.ofNanos(Math.max(next, timeout / SWEEPS)));
  }

  /** What may be trimmed, and why the rest may not. */
  private static final class Candidates {
    final List<Unused> unused = new ArrayList<>();
    int old;
    int fresh;
    int isProtected;
  }

  /** A connection, and since when it was unused when it was looked at. */
  private record Unused(Reclaimable connection, long since) {
    boolean close() {
      return connection.closeIfUnusedSince(since);
    }
  }
}
