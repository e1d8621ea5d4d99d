package io.grpcstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.testing.OwnLoader;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Calls by a channel to a peer that are not through with what has arrived when their stream, and
 * then the channel, ends; alone with gRPC.
 */
@Timeout(120)
class LatePeerCallTest {
  private static OwnLoader alone;

  @BeforeAll
  static void load() {
    alone = OwnLoader.ofAll();
  }

  @AfterAll
  static void unload() throws Exception {
    alone.close();
  }

  private static String run(String scenario) throws Exception {
    return alone.run(SlowCaller.class, scenario + " peer among-others");
  }

  @ParameterizedTest
  @ValueSource(strings = {"SERVER_RESET READ", "CHANNEL READ", "RESET_THEN_CHANNEL_NOW WAIT"})
  @DisplayName("gRPC's executors last as long as a slow caller needs them, and no longer")
  void executorsLast(String scenario) throws Exception {
    assertThat(alone.run(SlowCaller.class, scenario + " none peer"))
        .startsWith(scenario.endsWith("READ") ? SlowCaller.MESSAGES + " " : "1 UNAVAILABLE ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"SERVER_HOST", "SERVER_RESET", "CONNECTION", "CLIENT_RESET"})
  @DisplayName("A slow caller gets all that arrived, and then why its stream was lost")
  void slowCallerAfterALostStream(String end) throws Exception {
    assertThat(run(end + " READ none"))
        .startsWith(SlowCaller.MESSAGES + " UNAVAILABLE stream ")
        .contains("to peer 12D3")
        .contains("at /memory/");
  }

  @ParameterizedTest
  @ValueSource(strings = {"SERVER_GRPC", "CHANNEL"})
  @DisplayName("A slow caller gets all of a call that was served when its stream ends in order")
  void slowCallerAfterAnOrderlyEnd(String end) throws Exception {
    assertThat(run(end + " READ none")).startsWith(SlowCaller.MESSAGES + " OK");
  }

  @ParameterizedTest
  @ValueSource(strings = {"CHANNEL_NOW", "RESET_THEN_CHANNEL_NOW", "CLIENT_HOST"})
  @DisplayName("A slow caller that ends its own side is told so, and waits for nothing")
  void slowCallerThatEndsItsOwnSide(String end) throws Exception {
    assertThat(run(end + " WAIT none"))
        .startsWith("1 UNAVAILABLE stream ")
        .contains("to peer 12D3");
  }

  @ParameterizedTest
  @ValueSource(strings = {"CANCEL", "CANCEL_CONTEXT"})
  @DisplayName("Cancelling ends a call whose stream is gone")
  void cancelling(String cancel) throws Exception {
    assertThat(run("SERVER_RESET " + cancel + " none")).startsWith("1 CANCELLED ");
    assertThat(run("CHANNEL " + cancel + " none")).startsWith("1 CANCELLED ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"SERVER_RESET", "CHANNEL"})
  @DisplayName("The deadline ends a call whose stream is gone")
  void deadline(String end) throws Exception {
    assertThat(run(end + " WAIT deadline")).startsWith("1 DEADLINE_EXCEEDED ");
  }
}
