package io.grpcstream.libp2p.resources;

import io.grpcstream.libp2p.HostObserver;
import io.grpcstream.libp2p.util.LogRateLimit;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The observers of one host, none of which can do harm by what it throws. Thread-safe. */
public final class Observers {
  private static final Logger logger = LoggerFactory.getLogger(HostObserver.class);

  private final List<HostObserver> all;
  private final LogRateLimit failures = new LogRateLimit();

  public Observers(List<HostObserver> all) {
    this.all = List.copyOf(all);
  }

  /** Whether there is none: then nothing need be measured. */
  public boolean isEmpty() {
    return all.isEmpty();
  }

  public List<HostObserver> all() {
    return all;
  }

  /**
   * Tells all of them. Where there is none, ask {@link #isEmpty()} first: making an event costs.
   */
  public void tell(Consumer<HostObserver> event) {
    for (HostObserver observer : all) {
      try {
        event.accept(observer);
      } catch (RuntimeException e) {
        long leftOut = failures.leftOut();
        if (leftOut < 0) {
          logger.debug("host observer {} failed", observer, e);
        } else {
          logger.warn("host observer {} failed ({} more not logged)", observer, leftOut, e);
        }
      }
    }
  }
}
