package io.grpcstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.ManagedChannel;
import io.grpc.Status.Code;
import io.grpcstream.libp2p.LogLines;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Stream;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How long a connection that was accepted may wait for a decision, on a clock that we turn. */
@Timeout(60)
class DecisionDeadlineTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  private final PeerId opener = Wire.peer();
  private final EmbeddedChannel channel = new EmbeddedChannel(new ChannelInboundHandlerAdapter());
  private final GrpcStream grpc =
      GrpcStream.builder().addService(Echo.service()).backlogTimeout(LIMIT).build();

  DecisionDeadlineTest() {
    channel.freezeTime();
  }

  @AfterEach
  void close() {
    grpc.shutdown(Duration.ZERO);
    channel.finishAndReleaseAll();
  }

  private GrpcConnection accept() throws Exception {
    return grpc.accept().toCompletableFuture().get(10, TimeUnit.SECONDS);
  }

  private GrpcConnection openAndAccept() throws Exception {
    Stream stream =
        Stream.over(
            channel,
            Wire.peer(),
            opener,
            Multiaddr.parse("/ip4/127.0.0.1/tcp/4001"),
            Wire.PROTOCOL,
            false);
    grpc.handler().onStream(stream);
    return accept();
  }

  private void pass(Duration time) {
    channel.advanceTimeBy(time.toNanos(), TimeUnit.NANOSECONDS);
    channel.runScheduledPendingTasks();
    channel.runPendingTasks();
  }

  private boolean timerIsLeft() {
    // gRPC has timers of its own, which take longer.
    long next = channel.runScheduledPendingTasks();
    return next >= 0 && next <= LIMIT.toNanos();
  }

  @Test
  @DisplayName("A connection that nobody decides about is reset, and the log says why")
  void undecidedConnectionIsReset() throws Exception {
    GrpcConnection connection = openAndAccept();
    try (LogLines log = new LogLines()) {
      pass(LIMIT.minusNanos(1));
      assertThat(connection.closed().toCompletableFuture()).isNotDone();

      pass(Duration.ofNanos(1));
      assertThat(connection.closed().toCompletableFuture()).isDone();
      log.await("WARN", opener, Wire.PROTOCOL, "nobody decided", "within 30 s");
    }
  }

  @Test
  void timeForTheDecisionIsCountedAnewFromTheAccept() throws Exception {
    GrpcConnection first = openAndAccept();
    first.giveBack();
    pass(LIMIT.minusSeconds(1));
    GrpcConnection accepted = accept();

    pass(LIMIT.minusSeconds(1));
    assertThat(accepted.closed().toCompletableFuture()).isNotDone();
    pass(Duration.ofSeconds(1));
    assertThat(accepted.closed().toCompletableFuture()).isDone();
  }

  @Test
  void connectionServedInTimeLivesOn() throws Exception {
    GrpcConnection connection = openAndAccept();
    connection.serve();
    pass(LIMIT.multipliedBy(2));

    assertThat(connection.closed().toCompletableFuture()).isNotDone();
  }

  @Test
  void connectionThatIsCalledInTimeLivesOn() throws Exception {
    GrpcConnection connection = openAndAccept();
    ManagedChannel client = connection.client();
    pass(LIMIT.multipliedBy(2));

    assertThat(connection.closed().toCompletableFuture()).isNotDone();
    client.shutdownNow();
  }

  @Test
  void noTimerOutlivesTheDecision() throws Exception {
    GrpcConnection connection = openAndAccept();
    assertThat(timerIsLeft()).as("before").isTrue();
    connection.serve();

    assertThat(timerIsLeft()).as("after").isFalse();
  }

  @Test
  void noTimerOutlivesTheRefusal() throws Exception {
    openAndAccept().refuse();

    assertThat(timerIsLeft()).isFalse();
  }

  @Test
  void noTimerOutlivesAStreamThatNobodyDecidedAbout() throws Exception {
    GrpcConnection connection = openAndAccept();
    channel.close();

    assertThat(timerIsLeft()).isFalse();
    connection.refuse();
  }

  @Test
  void noTimerOutlivesTheGrpcStream() throws Exception {
    openAndAccept();
    grpc.shutdown(Duration.ZERO);

    assertThat(timerIsLeft()).isFalse();
  }

  @Test
  void servingTooLateIsServingAStreamThatHasEnded() throws Exception {
    GrpcConnection connection = openAndAccept();
    pass(LIMIT);
    connection.serve();

    assertThat(connection.closed().toCompletableFuture()).isDone();
    assertThatThrownBy(connection::refuse)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("SERVED");
  }

  @Test
  @DisplayName("Calls on a connection decided too late fail with UNAVAILABLE")
  void callsAfterALateDecision() throws Exception {
    GrpcConnection connection = openAndAccept();
    pass(LIMIT);

    assertThat(Echo.failure(connection.client()).getCode()).isEqualTo(Code.UNAVAILABLE);
  }

  @Test
  void connectionGivenBackTooLateIsNotAcceptedAgain() throws Exception {
    GrpcConnection connection = openAndAccept();
    pass(LIMIT);
    connection.giveBack();

    assertThat(grpc.accept().toCompletableFuture()).isNotDone();
  }

  @Test
  void overdueStreamIsForgotten() throws Exception {
    openAndAccept();
    pass(LIMIT);

    assertThat(grpc.terminated().toCompletableFuture()).isNotDone();
    grpc.shutdown(LIMIT);
    assertThat(grpc.terminated().toCompletableFuture()).isDone();
  }
}
