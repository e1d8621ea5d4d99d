package io.grpcstream.libp2p.resources;

import io.grpcstream.libp2p.GatedException;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.LimitExceededException;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.util.LogRateLimit;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts and logs what a host refuses. Peers can cause refusals as fast as the network carries
 * them, so of each kind at most {@value #LINES_PER_WINDOW} lines are logged in {@value
 * #WINDOW_SECONDS} seconds; the next line tells how many were left out. Thread-safe.
 */
public final class Refusals {
  static final int LINES_PER_WINDOW = 5;
  static final int WINDOW_SECONDS = 10;

  private static final Logger logger = LoggerFactory.getLogger(Host.class);

  private final Map<Refusal, Kind> kinds = new EnumMap<>(Refusal.class);
  private final LogRateLimit gaterFailures;
  private final PeerId host;
  private final LongSupplier nanoTime;

  public Refusals(PeerId host) {
    this(host, System::nanoTime);
  }

  public Refusals(PeerId host, LongSupplier nanoTime) {
    this.host = host;
    this.nanoTime = nanoTime;
    gaterFailures =
        new LogRateLimit(LINES_PER_WINDOW, Duration.ofSeconds(WINDOW_SECONDS), nanoTime);
    for (Refusal refusal : Refusal.values()) {
      kinds.put(refusal, new Kind());
    }
  }

  /** Counts one refusal, and logs it if its kind has not been logged too often just now. */
  public void add(Refusal refusal, String message) {
    if (refusal == Refusal.STREAM_NEGOTIATION_FAILED) {
      // Asking for what this host does not serve is part of ordinary life among peers.
      addQuietly(refusal, message);
      return;
    }
    Kind kind = kindOf(refusal);
    kind.count.increment();
    long left = kind.lines.leftOut();
    if (left == 0) {
      logger.warn("host {} refused ({}): {}", host, refusal, message);
    } else if (left > 0) {
      logger.warn("host {} refused ({}, {} more not logged): {}", host, refusal, left, message);
    }
  }

  /** Counts what is part of ordinary life; it is seen at debug level. */
  public void addQuietly(Refusal refusal, String message) {
    kindOf(refusal).count.increment();
    logger.debug("host {} refused ({}): {}", host, refusal, message);
  }

  private Kind kindOf(Refusal refusal) {
    return Objects.requireNonNull(kinds.get(refusal), "there is a kind for each refusal");
  }

  /** Counts a limit that was reached, logs it, and makes the exception that says so. */
  LimitExceededException limit(Refusal refusal, String message) {
    add(refusal, message);
    return new LimitExceededException(refusal, message);
  }

  /** Counts what the gater refused, logs it, and makes the exception that says so. */
  public GatedException gated(Refusal refusal, String message) {
    add(refusal, message);
    return new GatedException(refusal, message);
  }

  /** Asks a hook of the gater; one that throws refuses, and its failure is logged. */
  public boolean allows(String hook, BooleanSupplier question) {
    try {
      return question.getAsBoolean();
    } catch (RuntimeException e) {
      if (gaterFailures.leftOut() >= 0) {
        logger.warn("host {}: connection gater failed in {}, which refuses", host, hook, e);
      }
      return false;
    }
  }

  /** The counts that are not zero. */
  Map<Refusal, Long> counts() {
    Map<Refusal, Long> counts = new EnumMap<>(Refusal.class);
    kinds.forEach(
        (refusal, kind) -> {
          long count = kind.count.sum();
          if (count > 0) {
            counts.put(refusal, count);
          }
        });
    return counts;
  }

  private final class Kind {
    final LongAdder count = new LongAdder();
    final LogRateLimit lines =
        new LogRateLimit(LINES_PER_WINDOW, Duration.ofSeconds(WINDOW_SECONDS), nanoTime);
  }
}
