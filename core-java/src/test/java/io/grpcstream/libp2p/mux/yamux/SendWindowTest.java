package io.grpcstream.libp2p.mux.yamux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

/** The sender's arithmetic. */
class SendWindowTest {
  private final SendWindow window = new SendWindow();

  @Test
  void startsWithTheWindowOfTheSpecification() {
    assertThat(window.available()).isEqualTo(262_144);
  }

  @Test
  void growsToTheLargestUint32AndNotFurther() {
    assertThat(window.grant(0xFFFF_FFFFL - 262_144)).isTrue();
    assertThat(window.available()).isEqualTo(4_294_967_295L);
    assertThat(window.grant(1)).isFalse();
    assertThat(window.available()).isEqualTo(4_294_967_295L);
  }

  @Test
  void cannotBeOverdrawn() {
    window.consume(262_144);
    assertThat(window.available()).isZero();
    assertThatThrownBy(() -> window.consume(1)).hasMessage("sent 1 bytes, send window 0");
  }
}
