package io.grpcstream.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.crypto.PrivateKey;
import io.grpcstream.netty.RefusalLog;
import io.grpcstream.serving.TrackedStream.State;
import io.grpcstream.testing.Race;
import io.netty.channel.embedded.EmbeddedChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class TrackedStreamTest {
  private static final int ROUNDS = 2_000;
  private static final Duration LONG = Duration.ofHours(1);
  private static final PeerId LOCAL = peer();
  private static final PeerId REMOTE = peer();
  private static final Multiaddr ADDRESS = Multiaddr.parse("/ip4/127.0.0.1/tcp/4001");

  private final Race race = new Race(3);

  @AfterEach
  void close() {
    race.close();
  }

  private static PeerId peer() {
    return PeerId.of(PrivateKey.generateEd25519().publicKey());
  }

  private static TrackedStream stream(State first) {
    Stream stream = Stream.over(new EmbeddedChannel(), LOCAL, REMOTE, ADDRESS, "/test/1", false);
    return new TrackedStream(stream, first, LONG, new RefusalLog(), () -> "");
  }

  @Test
  @DisplayName("Of decisions made at the same time one holds, and the others throw")
  void oneDecisionHolds() throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      TrackedStream stream = stream(State.ACCEPTED);
      List<Callable<Boolean>> decisions = new ArrayList<>();
      for (State decision : List.of(State.SERVED, State.CLIENT, State.GIVEN_BACK)) {
        decisions.add(
            () -> {
              try {
                return stream.decide(decision) && stream.state() == decision;
              } catch (IllegalStateException e) {
                return false;
              }
            });
      }
      assertThat(race.run(decisions)).containsOnlyOnce(true);
    }
  }

  @Test
  @DisplayName("A decision that meets the end of its time is in time, or without effect")
  void decisionMeetsItsLimit() throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      TrackedStream stream = stream(State.ACCEPTED);
      List<Boolean> found =
          race.run(
              List.of(
                  () -> stream.decide(State.SERVED),
                  () -> stream.move(State.ACCEPTED, State.EXPIRED)));
      assertThat(found).containsOnlyOnce(true);
      assertThat(stream.state()).isEqualTo(State.SERVED);
      assertThatThrownBy(() -> stream.decide(State.REFUSED))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("SERVED");
    }
  }

  @Test
  @DisplayName("A waiting stream goes to one of an accept, its time limit and a shutdown")
  void waitingStreamGoesToOne() throws Exception {
    Set<State> seen = EnumSet.noneOf(State.class);
    for (int round = 0; round < ROUNDS; round++) {
      Backlog<TrackedStream> backlog = new Backlog<>(1, stream -> stream);
      TrackedStream stream = stream(State.ARRIVED);
      assertThat(backlog.offer(stream)).isEqualTo(Backlog.Outcome.TAKEN);
      CompletableFuture<CompletableFuture<TrackedStream>> accept = new CompletableFuture<>();
      List<Boolean> moved =
          race.run(
              List.of(
                  () -> accept.complete(backlog.take()) && isDone(accept.join()),
                  () -> stream.move(State.WAITING, State.EXPIRED),
                  () ->
                      backlog.stop(IllegalStateException::new).stream()
                          .anyMatch(left -> left.move(State.WAITING, State.REFUSED))));
      assertThat(moved).as("now %s", stream.state()).containsOnlyOnce(true);
      assertThat(backlog.size()).isZero();
      seen.add(stream.state());
    }
    assertThat(seen).isSubsetOf(State.ACCEPTED, State.EXPIRED, State.REFUSED);
  }

  private static boolean isDone(CompletableFuture<?> accept) {
    return accept.isDone() && !accept.isCompletedExceptionally();
  }

  @Test
  @DisplayName("Of streams, accepts and cancelled accepts that meet, no stream is lost or doubled")
  void acceptsLoseNothing() throws Exception {
    Backlog<TrackedStream> backlog = new Backlog<>(ROUNDS, stream -> stream);
    Set<TrackedStream> accepted = Collections.newSetFromMap(new IdentityHashMap<>());
    AtomicInteger cancelled = new AtomicInteger();
    List<Boolean> found =
        race.run(
            List.of(
                () -> {
                  for (int i = 0; i < ROUNDS; i++) {
                    backlog.offer(stream(State.ARRIVED));
                  }
                  return true;
                },
                () -> {
                  while (accepted.size() < ROUNDS) {
                    CompletableFuture<TrackedStream> accept = backlog.take();
                    if (accept.cancel(false)) {
                      cancelled.incrementAndGet();
                    } else if (!accepted.add(accept.join())) {
                      return false;
                    }
                  }
                  return true;
                }));
    assertThat(found).containsOnly(true);
    assertThat(backlog.size()).isZero();
    assertThat(accepted).allMatch(stream -> stream.state() == State.ACCEPTED);
  }

  @Test
  @DisplayName("A stream that is served in another way before its turn leaves its accept waiting")
  void acceptKeepsItsPlace() {
    Backlog<TrackedStream> backlog = new Backlog<>(1, stream -> stream);
    CompletableFuture<TrackedStream> accept = backlog.take();
    TrackedStream served = stream(State.ARRIVED);
    assertThat(served.settle(State.SERVED)).isTrue();
    backlog.offer(served);
    assertThat(accept).isNotDone();

    TrackedStream next = stream(State.ARRIVED);
    backlog.offer(next);
    assertThat(accept.join()).isSameAs(next);
    assertThat(served.state()).isEqualTo(State.SERVED);
  }
}
