package io.grpcstream.libp2p.mux.yamux;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The receive window: how it grows with the round trip, and what holds it back. */
class WindowGrowthTest {
  private static final int INITIAL = YamuxConfig.INITIAL_WINDOW;

  @Test
  @DisplayName("The window doubles to its maximum while updates fall due within four round trips")
  void windowDoublesToItsMaximum() {
    Side side = measured(YamuxConfig.defaults(), Duration.ofMillis(50));
    side.feed(Frame.windowUpdate(Frame.SYN, 1, 0));
    long window = INITIAL;
    for (int i = 0; i < 8; i++) {
      side.advance(Duration.ofMillis(100));
      window = consumeHalf(side, 1, window);
    }
    assertThat(window).isEqualTo(16L << 20);
    side.finish();
  }

  @Test
  void aSlowSenderDoesNotGrowTheWindow() {
    Side side = measured(YamuxConfig.defaults(), Duration.ofMillis(50));
    side.feed(Frame.windowUpdate(Frame.SYN, 1, 0));
    side.advance(Duration.ofMillis(200));
    assertThat(consumeHalf(side, 1, INITIAL)).isEqualTo(INITIAL);
    side.advance(Duration.ofMillis(199));
    assertThat(consumeHalf(side, 1, INITIAL)).isEqualTo(2 * INITIAL);
    side.finish();
  }

  @Test
  void creditOfALargeWindowIsGivenBackByTheMebibyte() {
    Side side = grownTo(8L << 20, YamuxConfig.defaults().toBuilder().maxWindow(8 << 20).build());
    side.feed(Frame.data(0, 1, (1 << 20) - 1));
    assertThat(side.sentText()).isEmpty();
    side.feed(Frame.data(0, 1, 1));
    assertThat(side.sentText()).containsExactly("WINDOW 1 +1048576");
    side.finish();
  }

  @Test
  @DisplayName("A large window grows by the time that half of it takes, not that of one update")
  void largeWindowGrowsByHalfItsTime() {
    Side side = grownTo(4L << 20, YamuxConfig.defaults());
    ReceiveWindow window = side.onlyInbound().input().window();
    for (int mebibytes = 0; mebibytes < 16; mebibytes++) {
      side.advance(Duration.ofMillis(100));
      side.feed(Frame.data(0, 1, 1 << 20));
    }
    assertThat(window.size()).isEqualTo(4 << 20);
    side.advance(Duration.ofMillis(99));
    side.feed(Frame.data(0, 1, 1 << 20));
    side.advance(Duration.ofMillis(100));
    side.feed(Frame.data(0, 1, 1 << 20));
    assertThat(window.size()).isEqualTo(8 << 20);
    side.finish();
  }

  @Test
  @DisplayName("Without a measured round trip, the window does not grow")
  void noGrowthWithoutARoundTrip() {
    Side side = new Side(false);
    side.feed(Frame.windowUpdate(Frame.SYN, 1, 0));
    assertThat(consumeHalf(side, 1, INITIAL)).isEqualTo(INITIAL);
    side.finish();
  }

  @Test
  @DisplayName("The growth of all streams together is capped, and given back when a stream ends")
  void growthOfAllStreamsIsCapped() {
    YamuxConfig config =
        YamuxConfig.defaults().toBuilder().maxConnectionWindow(INITIAL + 1000).build();
    Side side = measured(config, Duration.ofMillis(50));
    side.feed(Frame.windowUpdate(Frame.SYN, 1, 0), Frame.windowUpdate(Frame.SYN, 3, 0));
    assertThat(consumeHalf(side, 1, INITIAL)).isEqualTo(2 * INITIAL);
    assertThat(consumeHalf(side, 3, INITIAL)).isEqualTo(INITIAL + 1000);
    assertThat(consumeHalf(side, 1, 2 * INITIAL)).isEqualTo(2 * INITIAL);
    side.feed(Frame.windowUpdate(Frame.RST, 1, 0), Frame.windowUpdate(Frame.SYN, 5, 0));
    assertThat(consumeHalf(side, 5, INITIAL)).isEqualTo(2 * INITIAL);
    side.finish();
  }

  @Test
  void aReaderThatStopsStopsTheGrowth() {
    Side side = measured(YamuxConfig.defaults(), Duration.ofMillis(50));
    side.onInbound = stream -> stream.config().setAutoRead(false);
    side.feed(Frame.data(Frame.SYN, 1, INITIAL));
    assertThat(side.sentText()).containsExactly("WINDOW[ACK] 1 +0");
    assertThat(side.onlyInbound().input().window().size()).isEqualTo(INITIAL);
    side.finish();
  }

  @Test
  void theArithmeticHoldsAtEveryStep() {
    ConnectionWindow connection = new ConnectionWindow(1 << 20);
    ReceiveWindow window = new ReceiveWindow(16 << 20, connection, 0);
    java.util.Random random = new java.util.Random(1);
    long allowed = INITIAL;
    long now = 0;
    for (int i = 0; i < 100_000; i++) {
      if (random.nextBoolean()) {
        int bytes = random.nextInt(window.credit() + 1);
        window.received(bytes);
        allowed -= bytes;
      } else {
        window.delivered(random.nextInt(window.buffered() + 1));
      }
      now += random.nextInt(100);
      allowed += window.update(now, 20);
      assertThat(window.credit()).isEqualTo((int) allowed);
      assertThat((long) window.credit() + window.buffered()).isLessThanOrEqualTo(window.size());
      assertThat(window.size()).isBetween(INITIAL, INITIAL + (1 << 20));
      assertThat(connection.reserved()).isEqualTo(window.size() - INITIAL);
    }
    assertThat(window.size()).isEqualTo(INITIAL + (1 << 20));
    window.close();
    assertThat(connection.reserved()).isZero();
  }

  /** A session that has measured its round trip. */
  private static Side measured(YamuxConfig config, Duration roundTrip) {
    Side side = new Side(false, config);
    side.advance(roundTrip);
    side.feed(Frame.ping(Frame.ACK, 1));
    assertThat(side.session.roundTrip()).isEqualTo(roundTrip);
    side.sent();
    return side;
  }

  /** A session with a round trip of 50 ms, and stream 1, whose window has grown. */
  private static Side grownTo(long window, YamuxConfig config) {
    Side side = measured(config, Duration.ofMillis(50));
    side.feed(Frame.windowUpdate(Frame.SYN, 1, 0));
    for (long size = INITIAL; size < window; ) {
      size = consumeHalf(side, 1, size);
    }
    assertThat((long) side.onlyInbound().input().window().size()).isEqualTo(window);
    side.sent();
    return side;
  }

  /** Sends and reads half of a window; returns the window after the update. */
  private static long consumeHalf(Side side, int streamId, long window) {
    side.sent();
    side.feed(Frame.data(0, streamId, (int) window / 2));
    return side.sent().stream()
            .filter(frame -> frame.type() == Frame.WINDOW_UPDATE && frame.length() > 0)
            .mapToLong(Frame::length)
            .sum()
        + window / 2;
  }
}
