package io.grpcstream.libp2p.util;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class ForwardStateTest {
  private enum Light {
    GREEN,
    AMBER,
    RED
  }

  @Test
  @DisplayName("It goes forward, also past states, and never back")
  void forwardOnly() {
    ForwardState<Light> state = new ForwardState<>(Light.GREEN);
    assertThat(state.advance(Light.GREEN)).isFalse();
    assertThat(state.advance(Light.RED)).isTrue();
    assertThat(state.advance(Light.AMBER)).isFalse();
    assertThat(state.advance(Light.RED)).isFalse();
    assertThat(state.get()).isEqualTo(Light.RED);
  }

  @Test
  @DisplayName("It has reached the states that it is in, and those that it has left or left out")
  void reached() {
    ForwardState<Light> state = new ForwardState<>(Light.GREEN);
    assertThat(state.hasReached(Light.GREEN)).isTrue();
    assertThat(state.hasReached(Light.AMBER)).isFalse();
    state.advance(Light.RED);
    assertThat(state.hasReached(Light.AMBER)).isTrue();
    assertThat(state.hasReached(Light.RED)).isTrue();
  }

  @Test
  @DisplayName("Of threads that move it at once one has moved it to the last state, and it stays")
  void race() throws Exception {
    List<Light> moves = new ArrayList<>(Collections.nCopies(2, Light.AMBER));
    moves.addAll(Collections.nCopies(2, Light.RED));
    ExecutorService threads = Executors.newFixedThreadPool(moves.size());
    try {
      for (int round = 0; round < 1_000; round++) {
        ForwardState<Light> state = new ForwardState<>(Light.GREEN);
        CyclicBarrier start = new CyclicBarrier(moves.size());
        List<CompletableFuture<Light>> moved = new ArrayList<>();
        for (Light to : moves) {
          moved.add(
              CompletableFuture.supplyAsync(
                  () -> {
                    await(start);
                    return state.advance(to) ? to : Light.GREEN;
                  },
                  threads));
        }
        List<Light> done = moved.stream().map(CompletableFuture::join).toList();
        assertThat(done).containsOnlyOnce(Light.RED);
        assertThat(Collections.frequency(done, Light.AMBER)).isLessThanOrEqualTo(1);
        assertThat(state.get()).isEqualTo(Light.RED);
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private static void await(CyclicBarrier barrier) {
    try {
      barrier.await();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }
}
