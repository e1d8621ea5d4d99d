package io.grpcstream.libp2p.resources;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.crypto.PrivateKey;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;

class RefusalsTest {
  private final AtomicLong now = new AtomicLong();
  private final Refusals refusals =
      new Refusals(PeerId.of(PrivateKey.generateEd25519().publicKey()), now::get);

  private String logged(Runnable action) {
    PrintStream before = System.err;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    System.setErr(new PrintStream(out, true, StandardCharsets.UTF_8));
    try {
      action.run();
    } finally {
      System.setErr(before);
    }
    return out.toString(StandardCharsets.UTF_8);
  }

  @Test
  void everyRefusalIsCounted() {
    refusals.add(Refusal.SELF, "me");
    refusals.limit(Refusal.STREAMS, "many");
    refusals.limit(Refusal.STREAMS, "many");
    refusals.gated(Refusal.GATED_DIAL, "no");

    assertThat(refusals.counts())
        .isEqualTo(Map.of(Refusal.SELF, 1L, Refusal.STREAMS, 2L, Refusal.GATED_DIAL, 1L));
  }

  @Test
  @ResourceLock(Resources.SYSTEM_ERR)
  void aFloodIsLoggedBrieflyAndItsSizeTold() {
    String flood =
        logged(
            () -> {
              for (int i = 0; i < 1_000; i++) {
                refusals.add(Refusal.STREAMS, "line " + i);
              }
            });
    assertThat(flood.lines()).hasSize(Refusals.LINES_PER_WINDOW);

    assertThat(logged(() -> refusals.add(Refusal.SELF, "another kind"))).contains("another kind");
    now.addAndGet(Duration.ofSeconds(Refusals.WINDOW_SECONDS).toNanos());
    assertThat(logged(() -> refusals.add(Refusal.STREAMS, "later")))
        .contains("later", "995 more not logged");
    assertThat(refusals.counts()).containsEntry(Refusal.STREAMS, 1_001L);
  }
}
