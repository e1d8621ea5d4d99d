package io.grpcstream.libp2p.connection;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class ConnectionUseTest {
  private final AtomicLong now = new AtomicLong(10);
  private final ConnectionUse use = new ConnectionUse(now::get);

  @Test
  @DisplayName("What came about for a user begins the unused time anew, what did not does not")
  void unusedSince() {
    assertThat(use.unusedSince()).hasValue(10);
    use.begin();
    use.begin();
    assertThat(use.unusedSince()).isEmpty();
    now.set(20);
    use.end(false);
    assertThat(use.unusedSince()).isEmpty();
    use.end(false);
    assertThat(use.unusedSince()).hasValue(10);
    use.begin();
    use.end(true);
    assertThat(use.unusedSince()).hasValue(20);
    now.set(30);
    assertThat(use.touch()).isTrue();
    assertThat(use.unusedSince()).hasValue(30);
  }

  @Test
  @DisplayName("It is given up only as it was seen, and then for good")
  void givenUpOnce() {
    use.begin();
    assertThat(use.giveUp(10)).isFalse();
    now.set(20);
    use.end(true);
    assertThat(use.giveUp(10)).isFalse();
    assertThat(use.isGivenUp()).isFalse();
    assertThat(use.giveUp(20)).isTrue();
    assertThat(use.giveUp(20)).isFalse();
    assertThat(use.isGivenUp()).isTrue();
    assertThat(use.touch()).isFalse();
    assertThat(use.begin()).isFalse();
    assertThat(use.unusedSince()).isEmpty();
  }

  @Test
  @DisplayName("Of a use and the end at the same time one wins, and the other knows")
  void raceOfUseAndEnd() throws Exception {
    for (int i = 0; i < 2_000; i++) {
      ConnectionUse raced = new ConnectionUse(now::get);
      long since = raced.unusedSince().orElseThrow();
      CyclicBarrier both = new CyclicBarrier(2);
      AtomicBoolean mayUse = new AtomicBoolean();
      Thread user =
          new Thread(
              () -> {
                try {
                  both.await();
                } catch (Exception e) {
                  throw new AssertionError(e);
                }
                mayUse.set(raced.begin());
              });
      user.start();
      both.await();
      boolean givenUp = raced.giveUp(since);
      user.join();
      assertThat(mayUse.get()).isNotEqualTo(givenUp);
    }
  }
}
