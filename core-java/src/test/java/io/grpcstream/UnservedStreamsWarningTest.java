package io.grpcstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpcstream.libp2p.Connection;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.LogLines;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Stream;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the side is told that has forgotten to serve: its callers see a reset only. */
@Timeout(60)
class UnservedStreamsWarningTest {
  private static final String FORGOTTEN = "nobody has called serve() or accept()";

  private final Wire wire = Wire.local();
  private final LogLines log = new LogLines();

  @AfterEach
  void close() {
    log.close();
    wire.close();
  }

  private Stream open(GrpcStream grpc, PeerId opener) {
    return wire.open(opener, Wire.peer(), Wire.PROTOCOL, grpc.handler());
  }

  @Test
  @DisplayName("Streams that nobody asks for are said once, long before they are reset")
  void unaskedStreamsAreSaidOnce() throws Exception {
    GrpcStream grpc = GrpcStream.builder().addService(Echo.service()).build();
    PeerId opener = Wire.peer();
    ManagedChannel channel = GrpcStream.wrapClient(open(grpc, opener));
    open(grpc, Wire.peer());

    log.await(FORGOTTEN, Wire.PROTOCOL, opener, "2 stream(s)", "reset after 30 s");
    open(grpc, Wire.peer());
    grpc.serve();
    assertThat(Echo.unary(channel, "late but served")).isEqualTo("late but served");
    assertThat(log.lines()).filteredOn(line -> line.contains(FORGOTTEN)).hasSize(1);
    end(grpc);
  }

  @Test
  void aStreamThatIsResetForWantOfAnybodySaysSo() throws Exception {
    GrpcStream grpc = GrpcStream.builder().backlogTimeout(Duration.ofMillis(50)).build();
    open(grpc, Wire.peer());

    log.await("was not accepted within 50 ms", FORGOTTEN);
    end(grpc);
  }

  @Test
  @DisplayName("A stream that finds the backlog full for want of anybody says so")
  void fullBacklogForWantOfAnybody() throws Exception {
    GrpcStream grpc = GrpcStream.builder().backlog(1).build();
    open(grpc, Wire.peer());
    open(grpc, Wire.peer());

    log.await("1 streams wait to be accepted", FORGOTTEN);
    end(grpc);
  }

  @Test
  @DisplayName("Nothing is said of streams that wait for somebody slow")
  void waitingForSomebodySlowIsNotSaid() throws Exception {
    GrpcStream grpc = GrpcStream.builder().backlogTimeout(Duration.ofMillis(1_500)).build();
    open(grpc, Wire.peer());
    grpc.accept().toCompletableFuture().get(10, TimeUnit.SECONDS).serve();
    open(grpc, Wire.peer());

    // By then the warning would have come.
    log.await("was not accepted within 1.5 s");
    assertThat(log.lines()).noneMatch(line -> line.contains(FORGOTTEN));
    end(grpc);
  }

  @Test
  @DisplayName("The caller of a peer that forgot to serve is told of that possibility")
  void peerThatForgotToServe() throws Exception {
    try (Hosts hosts = new Hosts()) {
      GrpcStream grpc = GrpcStream.create();
      Host listener = hosts.start(Hosts.TCP);
      Stream stream = Hosts.open(hosts.start(Hosts.TCP), listener, grpc.handler());
      ManagedChannel channel = GrpcStream.wrapClient(stream);
      CallOptions waiting = CallOptions.DEFAULT.withWaitForReady();
      ListenableFuture<String> call =
          ClientCalls.futureUnaryCall(channel.newCall(Echo.UNARY, waiting), "anybody there?");
      end(grpc); // Which resets what waits, as the end of its time to wait does.
      assertThatThrownBy(() -> call.get(10, TimeUnit.SECONDS))
          .cause()
          .isInstanceOf(StatusRuntimeException.class)
          .hasMessageContainingAll(
              "UNAVAILABLE", listener.peerId().toString(), "the peer may not be serving it");
    }
  }

  @Test
  @DisplayName("So is a caller whose stream was reset before it had a channel")
  void resetBeforeItHadAChannel() throws Exception {
    try (Hosts hosts = new Hosts()) {
      GrpcStream grpc = GrpcStream.create();
      Host listener = hosts.start(Hosts.TCP);
      Stream stream = Hosts.open(hosts.start(Hosts.TCP), listener, grpc.handler());
      end(grpc);
      stream.channel().read();
      Hosts.await(stream.closed());
      Status status = Echo.failure(GrpcStream.wrapClient(stream));
      assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
      assertThat(status.getDescription())
          .contains(listener.peerId().toString(), "the peer may not be serving it");
    }
  }

  @Test
  @DisplayName("A call that runs out of time before anything came is told of that possibility too")
  void timeoutBeforeAnythingCame() {
    try (Hosts hosts = new Hosts()) {
      GrpcStream grpc = GrpcStream.builder().addService(Echo.service()).build();
      Host listener = hosts.start(Hosts.TCP);
      Stream stream = Hosts.open(hosts.start(Hosts.TCP), listener, grpc.handler());
      ManagedChannel channel = GrpcStream.wrapClient(stream);
      CallOptions brief = CallOptions.DEFAULT.withDeadlineAfter(200, TimeUnit.MILLISECONDS);
      assertThatThrownBy(() -> ClientCalls.blockingUnaryCall(channel, Echo.UNARY, brief, "x"))
          .isInstanceOf(StatusRuntimeException.class)
          .hasMessageContainingAll(
              "DEADLINE_EXCEEDED", listener.peerId().toString(), "the peer may not be serving it");

      grpc.serve();
      ClientCalls.blockingUnaryCall(channel, Echo.UNARY, CallOptions.DEFAULT, "hello");
      CallOptions over = CallOptions.DEFAULT.withDeadlineAfter(-1, TimeUnit.SECONDS);
      assertThatThrownBy(() -> ClientCalls.blockingUnaryCall(channel, Echo.UNARY, over, "x"))
          .message()
          .contains("DEADLINE_EXCEEDED")
          .doesNotContain("may not be serving");
      grpc.shutdown(Duration.ZERO);
    }
  }

  @Test
  @DisplayName("A stream that is reset after an answer is not said to be unserved")
  void resetAfterAnAnswer() throws Exception {
    try (Hosts hosts = new Hosts()) {
      GrpcStream grpc = GrpcStream.builder().addService(Echo.service()).build();
      Host listener = hosts.start(Hosts.TCP);
      Stream stream = Hosts.open(hosts.start(Hosts.TCP), listener, grpc.handler());
      grpc.serve();
      ManagedChannel channel = GrpcStream.wrapClient(stream);
      ClientCalls.blockingUnaryCall(channel, Echo.UNARY, CallOptions.DEFAULT, "hello");
      end(grpc);
      stream.closed().toCompletableFuture().get(10, TimeUnit.SECONDS);
      assertThatThrownBy(
              () -> ClientCalls.blockingUnaryCall(channel, Echo.UNARY, CallOptions.DEFAULT, "x"))
          .isInstanceOf(StatusRuntimeException.class)
          .hasMessageContaining("UNAVAILABLE")
          .message()
          .doesNotContain("may not be serving");
    }
  }

  @Test
  @DisplayName("The end of a connection is not blamed on who may not serve")
  void endOfTheConnectionIsNotBlamed() throws Exception {
    try (Hosts hosts = new Hosts()) {
      GrpcStream grpc = GrpcStream.create();
      Host caller = hosts.start(Hosts.TCP);
      Stream stream = Hosts.open(caller, hosts.start(Hosts.TCP), grpc.handler());
      ManagedChannel channel = GrpcStream.wrapClient(stream);
      ListenableFuture<String> call =
          ClientCalls.futureUnaryCall(channel.newCall(Echo.UNARY, CallOptions.DEFAULT), "hello");
      caller.connections().forEach(Connection::close);
      assertThatThrownBy(() -> call.get(10, TimeUnit.SECONDS))
          .hasMessageContaining("UNAVAILABLE")
          .message()
          .doesNotContain("may not be serving");
      end(grpc);
    }
  }

  private static void end(GrpcStream grpc) throws Exception {
    grpc.shutdown(Duration.ZERO).toCompletableFuture().get(10, TimeUnit.SECONDS);
  }
}
