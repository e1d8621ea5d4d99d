package io.grpcstream.libp2p.mux.yamux;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Queue;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a receive window lets through a long link, reckoned in a time of its own. */
class LongDistanceTest {
  private static final int MIB = 1 << 20;
  private static final int FRAME = 1 << 16;
  private static final long ONE_WAY_NANOS = 30_000_000;
  private static final long SECOND = 1_000_000_000;

  @ParameterizedTest(name = "{0} MiB/s")
  @ValueSource(ints = {300, 400, 1000})
  @DisplayName("A sender sixty milliseconds away uses nine tenths of a large window")
  void distantSenderUsesItsWindow(int mibPerSecond) {
    Link link = new Link(mibPerSecond);
    link.runUntil(2 * SECOND);
    assertThat(link.window.size()).isEqualTo(16 * MIB);
    long before = link.read;
    link.runUntil(4 * SECOND);
    double windowsPerRoundTrip =
        (link.read - before) / (2.0 * SECOND) * 2 * ONE_WAY_NANOS / (16 * MIB);
    assertThat(windowsPerRoundTrip).isBetween(0.9, 1.0);
  }

  /** A sender that always has something to send, and a reader that reads at once. */
  private static final class Link {
    private final ReceiveWindow window =
        new ReceiveWindow(16 * MIB, new ConnectionWindow(64 * MIB), 0);
    private final Queue<Long> arrivals = new ArrayDeque<>();
    private final Queue<long[]> updates = new ArrayDeque<>();
    private final long frameNanos;
    private long mayBeSent = window.credit();
    private long read;
    private long now;

    Link(int mibPerSecond) {
      frameNanos = SECOND * FRAME / MIB / mibPerSecond;
    }

    /** In each step as much time passes as a frame takes to leave. */
    void runUntil(long end) {
      for (; now < end; now += frameNanos) {
        while (!arrivals.isEmpty() && arrivals.peek() <= now) {
          arrivals.remove();
          window.received(FRAME);
          window.delivered(FRAME);
          read += FRAME;
          int credit = window.update(now, 2 * ONE_WAY_NANOS);
          if (credit > 0) {
            updates.add(new long[] {now + ONE_WAY_NANOS, credit});
          }
        }
        while (!updates.isEmpty() && updates.peek()[0] <= now) {
          mayBeSent += updates.remove()[1];
        }
        if (mayBeSent >= FRAME) {
          mayBeSent -= FRAME;
          arrivals.add(now + frameNanos + ONE_WAY_NANOS);
        }
      }
    }
  }
}
