package io.grpcstream.opentelemetry;

import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.HostStats;
import io.grpcstream.libp2p.Refusal;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * What hosts count for themselves, summed over all that live or have lived: a counter must not go
 * back when a host ends. Thread-safe.
 */
final class HostTotals {
  private final Set<Host> live = new HashSet<>();
  private final Sum ended = new Sum();

  /** Counts {@code host} too, whose end is waited for. */
  void add(Host host) {
    synchronized (this) {
      live.add(host);
    }
    host.closed().thenRun(() -> end(host));
  }

  private synchronized void end(Host host) {
    live.remove(host);
    ended.add(host.stats());
  }

  synchronized Sum sum() {
    Sum sum = new Sum();
    sum.add(ended);
    live.forEach(host -> sum.add(host.stats()));
    return sum;
  }

  /** A sum, to be read. */
  static final class Sum {
    private final Map<Refusal, Long> refusals = new EnumMap<>(Refusal.class);
    private long received;
    private long sent;

    long received() {
      return received;
    }

    long sent() {
      return sent;
    }

    Map<Refusal, Long> refusals() {
      return refusals;
    }

    private void add(HostStats stats) {
      add(stats.bytesReceived(), stats.bytesSent(), stats.refusals());
    }

    private void add(Sum sum) {
      add(sum.received, sum.sent, sum.refusals);
    }

    private void add(long moreReceived, long moreSent, Map<Refusal, Long> more) {
      received += moreReceived;
      sent += moreSent;
      more.forEach((reason, count) -> refusals.merge(reason, count, Long::sum));
    }
  }
}
