package io.grpcstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.testing.OwnLoader;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Calls that are not through with what has arrived when their stream ends, alone with gRPC. */
@Timeout(120)
class LateCallTest {
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
    return alone.run(SlowCaller.class, scenario);
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
  @ValueSource(strings = {"SERVER_GRPC", "CHANNEL", "CLIENT_GRPC"})
  @DisplayName("A slow caller gets all of a call that was served when its stream ends in order")
  void slowCallerAfterAnOrderlyEnd(String end) throws Exception {
    assertThat(run(end + " READ none")).startsWith(SlowCaller.MESSAGES + " OK");
  }

  @ParameterizedTest
  @ValueSource(strings = {"CHANNEL_NOW", "CLIENT_GRPC_AT_ONCE", "CLIENT_HOST"})
  void slowCallerThatEndsItsOwnSideIsToldSo(String end) throws Exception {
    assertThat(run(end + " WAIT none"))
        .startsWith("1 UNAVAILABLE stream ")
        .contains("to peer 12D3");
  }

  @ParameterizedTest
  @ValueSource(strings = {"CANCEL", "CANCEL_CONTEXT"})
  void cancellingEndsACallWhoseStreamIsGone(String cancel) throws Exception {
    assertThat(run("SERVER_RESET " + cancel + " none")).startsWith("1 CANCELLED ");
    assertThat(run("CHANNEL " + cancel + " none")).startsWith("1 CANCELLED ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"SERVER_RESET", "CHANNEL"})
  void theDeadlineEndsACallWhoseStreamIsGone(String end) throws Exception {
    assertThat(run(end + " WAIT deadline")).startsWith("1 DEADLINE_EXCEEDED ");
  }
}
