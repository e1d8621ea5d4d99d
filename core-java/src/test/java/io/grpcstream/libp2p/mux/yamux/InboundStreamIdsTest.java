package io.grpcstream.libp2p.mux.yamux;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Which ids of the other side are new, which are used, and that remembering them is bounded. */
class InboundStreamIdsTest {
  @Test
  void anIdIsUsedOnceAlsoOutOfOrder() {
    InboundStreamIds ids = new InboundStreamIds(true);
    assertThat(ids.used(1)).isFalse();
    ids.use(5);
    assertThat(ids.used(1)).isFalse();
    assertThat(ids.used(3)).isFalse();
    assertThat(ids.used(5)).isTrue();
    ids.use(1);
    assertThat(ids.used(1)).isTrue();
    assertThat(ids.used(3)).isFalse();
    assertThat(ids.used(7)).isFalse();
  }

  @Test
  void idsFarBehindCountAsUsed() {
    InboundStreamIds ids = new InboundStreamIds(false);
    ids.use(0xFFFF_FFFEL);
    assertThat(ids.used(0xFFFF_FFFCL)).isFalse();
    assertThat(ids.used(0xFFFF_FFFEL - 512)).isFalse();
    assertThat(ids.used(0xFFFF_FFFEL - 514)).isTrue();
    assertThat(ids.used(2)).isTrue();
  }

  @Test
  void sidesDifferInParityAndZeroBelongsToNone() {
    InboundStreamIds odd = new InboundStreamIds(true);
    InboundStreamIds even = new InboundStreamIds(false);
    assertThat(odd.belongs(1)).isTrue();
    assertThat(odd.belongs(2)).isFalse();
    assertThat(even.belongs(0xFFFF_FFFEL)).isTrue();
    assertThat(even.belongs(0)).isFalse();
    assertThat(odd.belongs(0)).isFalse();
  }
}
