package io.grpcstream.libp2p.mux;

import static io.grpcstream.libp2p.mux.StreamState.CLOSED;
import static io.grpcstream.libp2p.mux.StreamState.HALF_CLOSED_LOCAL;
import static io.grpcstream.libp2p.mux.StreamState.HALF_CLOSED_REMOTE;
import static io.grpcstream.libp2p.mux.StreamState.OPEN;
import static io.grpcstream.libp2p.mux.StreamState.RESET;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class StreamStateTest {
  @Test
  @DisplayName("Each side ends its half, in either order")
  void ends() {
    assertThat(OPEN.endLocal()).isEqualTo(HALF_CLOSED_LOCAL);
    assertThat(OPEN.endRemote()).isEqualTo(HALF_CLOSED_REMOTE);
    assertThat(HALF_CLOSED_LOCAL.endRemote()).isEqualTo(CLOSED);
    assertThat(HALF_CLOSED_REMOTE.endLocal()).isEqualTo(CLOSED);
  }

  @Test
  @DisplayName("The other side may repeat its end, and say it after a reset")
  void repeatedEnd() {
    for (StreamState state : List.of(HALF_CLOSED_REMOTE, CLOSED, RESET)) {
      assertThat(state.endRemote()).isEqualTo(state);
    }
  }

  @Test
  @DisplayName("This side ends its half once, and not after a reset")
  void endsOnce() {
    for (StreamState state : List.of(HALF_CLOSED_LOCAL, CLOSED, RESET)) {
      assertThatThrownBy(state::endLocal)
          .isInstanceOf(AssertionError.class)
          .hasMessage("the output ended in state " + state);
    }
  }

  @Test
  @DisplayName("A reset ends every stream but one that both sides have ended")
  void reset() {
    for (StreamState state : List.of(OPEN, HALF_CLOSED_LOCAL, HALF_CLOSED_REMOTE, RESET)) {
      assertThat(state.reset()).isEqualTo(RESET);
    }
    assertThat(CLOSED.reset()).isEqualTo(CLOSED);
  }
}
