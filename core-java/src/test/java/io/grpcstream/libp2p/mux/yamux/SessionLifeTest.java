package io.grpcstream.libp2p.mux.yamux;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class SessionLifeTest {
  private final SessionLife life = new SessionLife();

  @Test
  @DisplayName("Refusing inbound streams leaves those of this side, and the end is still a loss")
  void draining() {
    life.refuseInbound();
    assertThat(life.acceptsInbound()).isFalse();
    assertThat(life.refusesOutbound()).isNull();
    assertThat(life.connectionClosed()).hasMessage("yamux: the other side closed the connection");
  }

  @Test
  @DisplayName("After GOAWAY, refusing inbound streams changes nothing")
  void refusingAfterGoAway() {
    life.goAway();
    life.refuseInbound();
    assertThat(life.acceptsInbound()).isFalse();
    assertThat(life.refusesOutbound()).hasMessage("yamux: GOAWAY was sent");
    assertThat(life.connectionClosed()).isNull();
  }

  @Test
  @DisplayName("It closes once, and nothing opens it again")
  void closes() {
    assertThat(life.close()).isTrue();
    life.refuseInbound();
    life.goAway();
    assertThat(life.close()).isFalse();
    assertThat(life.isClosed()).isTrue();
    assertThat(life.acceptsInbound()).isFalse();
    assertThat(life.refusesOutbound()).hasMessage("yamux: the session is over");
  }

  @Test
  @DisplayName("The other side's GOAWAY keeps its streams welcome; the last new code tells the end")
  void theirGoAway() {
    assertThat(life.receiveGoAway(GoAwayCode.NORMAL)).isTrue();
    assertThat(life.connectionClosed()).isNull();
    assertThat(life.receiveGoAway(GoAwayCode.INTERNAL_ERROR)).isTrue();
    assertThat(life.receiveGoAway(GoAwayCode.NORMAL)).isFalse();
    assertThat(life.acceptsInbound()).isTrue();
    assertThat(life.refusesOutbound())
        .isInstanceOf(GoAwayException.class)
        .hasMessage("yamux: the other side sent GOAWAY INTERNAL_ERROR");
    assertThat(life.connectionClosed())
        .hasMessage("yamux: the other side closed the connection after GOAWAY INTERNAL_ERROR");
  }
}
