package io.grpcstream.libp2p.mux.yamux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class ReceiveWindowTest {
  private static final int INITIAL = 262_144;

  private final ConnectionWindow connection = new ConnectionWindow(INITIAL);
  private final ReceiveWindow window = new ReceiveWindow(4 * INITIAL, connection, 0);

  @Test
  @DisplayName("Growth is the connection's, up to its limit, and goes back with the stream")
  void growth() {
    window.received(INITIAL);
    window.delivered(INITIAL);
    assertThat(window.update(1, 1000)).isEqualTo(2 * INITIAL);
    assertThat(window).hasToString("window of 524,288: credit 524,288, buffered 0");
    assertThat(connection.reserved()).isEqualTo(INITIAL);
    window.close();
    assertThat(connection.reserved()).isZero();
  }

  @Test
  @DisplayName("Bytes past the credit break the invariant")
  void overdrawn() {
    window.received(INITIAL);
    assertThatThrownBy(() -> window.received(1))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("past its credit");
  }

  @Test
  @DisplayName("Bytes that are read but never came break the invariant")
  void readTwice() {
    window.received(10);
    window.delivered(10);
    assertThatThrownBy(() -> window.delivered(10))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("more was read than had arrived");
  }

  @Test
  @DisplayName("Growth that goes back twice breaks the invariant")
  void closedTwice() {
    window.close();
    assertThatThrownBy(window::close).isInstanceOf(AssertionError.class);
  }
}
