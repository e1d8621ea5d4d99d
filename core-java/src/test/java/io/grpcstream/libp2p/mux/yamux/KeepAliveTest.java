package io.grpcstream.libp2p.mux.yamux;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.concurrent.Future;
import java.time.Duration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Pings, the round trip, and peers that have gone silent or take nothing. */
class KeepAliveTest {
  private final Side side = new Side(true, YamuxConfig.defaults());

  @Test
  @DisplayName("The first PING is sent at once and measures the round trip")
  void firstPingIsSentAtOnce() {
    assertThat(side.sentText()).containsExactly("PING[SYN] 0 +1");
    side.advance(Duration.ofMillis(40));
    side.feed(Frame.ping(Frame.ACK, 1));
    assertThat(side.session.roundTrip()).isEqualTo(Duration.ofMillis(40));
    side.finish();
  }

  @Test
  void everyIntervalMeasuresAgainAndSmooths() {
    side.advance(Duration.ofMillis(40));
    side.feed(Frame.ping(Frame.ACK, 1));
    side.sent();
    side.advance(Duration.ofMillis(29_960));
    assertThat(side.sentText()).containsExactly("PING[SYN] 0 +2");
    side.advance(Duration.ofMillis(20));
    side.feed(Frame.ping(Frame.ACK, 1), Frame.ping(Frame.ACK, 2));
    assertThat(side.session.roundTrip()).isEqualTo(Duration.ofMillis(30));
    side.finish();
  }

  @Test
  void aPingJoinsTheOneThatIsUnderWay() {
    Future<Duration> one = side.session.ping();
    Future<Duration> two = side.session.ping();
    assertThat(side.sent()).hasSize(1);
    side.advance(Duration.ofMillis(5));
    side.feed(Frame.ping(Frame.ACK, 1));
    assertThat(one.getNow()).isEqualTo(Duration.ofMillis(5));
    assertThat(two.getNow()).isEqualTo(Duration.ofMillis(5));
    side.finish();
  }

  @Test
  void aSilentPeerLosesTheConnection() {
    YamuxStreamChannel stream = side.open();
    Future<Duration> ping = side.session.ping();
    side.advance(Duration.ofMillis(9_999));
    assertThat(side.closedCalls).isZero();
    side.advance(Duration.ofMillis(1));
    assertThat(side.closedCause)
        .isInstanceOf(ConnectionLostException.class)
        .hasMessage("yamux: no answer to a ping within 10 s");
    assertThat(ping.cause()).hasMessage("yamux: no answer to a ping within 10 s");
    assertThat(side.recorder(stream).exception)
        .isInstanceOf(ConnectionLostException.class)
        .hasMessage("yamux: no answer to a ping within 10 s");
    assertThat(side.connection.isOpen()).isFalse();
    side.finish();
  }

  @Test
  void aPeerThatIsBusySendingKeepsTheConnection() {
    Future<Duration> ping = side.session.ping();
    side.advance(Duration.ofSeconds(9));
    side.feed(Frame.ping(Frame.SYN, 5));
    side.advance(Duration.ofSeconds(1));
    assertThat(ping.isSuccess()).isFalse();
    assertThat(ping.isDone()).isTrue();
    assertThat(side.connection.isActive()).isTrue();
    side.advance(Duration.ofSeconds(20));
    assertThat(side.sentText())
        .containsExactly("PING[SYN] 0 +1", "PING[ACK] 0 +5", "PING[SYN] 0 +2");
    side.finish();
  }

  @Test
  @DisplayName("A connection that takes nothing for the write timeout is lost")
  void connectionThatTakesNothing() {
    side.feed(Frame.ping(Frame.ACK, 1));
    side.congest();
    side.advance(Duration.ofMillis(9_999));
    assertThat(side.closedCalls).isZero();
    side.advance(Duration.ofMillis(1));
    assertThat(side.closedCause)
        .isInstanceOf(ConnectionLostException.class)
        .hasMessage("yamux: the connection took none of what was sent within 10 s");
    side.finish();
  }

  @Test
  void aConnectionThatTakesSomethingInTimeIsKept() {
    side.feed(Frame.ping(Frame.ACK, 1));
    side.congest();
    side.advance(Duration.ofSeconds(9));
    side.relieve();
    side.advance(Duration.ofSeconds(9));
    assertThat(side.connection.isActive()).isTrue();
    side.finish();
  }

  @Test
  @DisplayName("Each time the connection is full, the timeout starts anew")
  void timeoutStartsAnewWhenFull() {
    side.feed(Frame.ping(Frame.ACK, 1));
    side.congest();
    side.advance(Duration.ofSeconds(9));
    side.relieve();
    side.congest();
    side.advance(Duration.ofMillis(9_999));
    assertThat(side.closedCalls).isZero();
    side.advance(Duration.ofMillis(1));
    assertThat(side.closedCalls).isEqualTo(1);
    side.finish();
  }

  @Test
  @DisplayName("Without an interval, nothing is pinged and nobody is lost")
  void withoutAnIntervalNoPings() {
    Side quiet = new Side(true);
    quiet.advance(Duration.ofHours(1));
    assertThat(quiet.sent()).isEmpty();
    assertThat(quiet.connection.isActive()).isTrue();
    quiet.finish();
  }
}
