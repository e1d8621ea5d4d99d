package io.grpcstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.stub.BlockingClientCall;
import io.grpc.stub.ClientCalls;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Stream;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Stubs that are called where stages complete: on event loops. */
@Timeout(60)
class EventLoopCallTest {
  private final Hosts hosts = new Hosts();
  private final Host listener = hosts.start(Hosts.TCP);
  private final Host opener = hosts.start(Hosts.TCP);
  private final GrpcStream server = GrpcStream.builder().addService(Echo.service()).build().serve();
  private final Stream stream = Hosts.open(opener, listener, server.handler());
  private final ManagedChannel channel = GrpcStream.wrapClient(stream);

  @AfterEach
  void close() {
    hosts.close();
    server.close();
  }

  private <T> T onLoop(Callable<T> task) throws Exception {
    return stream.channel().eventLoop().submit(task).get(20, TimeUnit.SECONDS);
  }

  private void assertRefused(Callable<?> blocking) throws Exception {
    Status status = Status.fromThrowable(onLoop(() -> catchThrowable(blocking::call)));
    assertThat(status.getCode()).isEqualTo(Code.FAILED_PRECONDITION);
    assertThat(status.getDescription())
        .contains("blocking stub")
        .contains("asynchronous stub")
        .contains("thenApplyAsync")
        .contains(listener.peerId().toString());
  }

  @Test
  void blockingStubOnTheEventLoopOfItsStreamFailsAtOnceAndSaysWhatToDo() throws Exception {
    assertRefused(() -> Echo.unary(channel, "hello"));
    assertRefused(() -> Echo.serverStream(channel, "hello"));
    assertRefused(
        () -> {
          BlockingClientCall<String, String> call =
              ClientCalls.blockingBidiStreamingCall(channel, Echo.BIDI, CallOptions.DEFAULT);
          return call.read();
        });
    assertThat(Echo.unary(channel, "elsewhere")).isEqualTo("elsewhere");
  }

  @Test
  void blockingStubInTheStageOfADialNeverHangs() throws Exception {
    Optional<Throwable> failure =
        GrpcStream.dial(opener, Hosts.address(listener), Wire.PROTOCOL)
            .thenApply(
                dialled -> Optional.ofNullable(catchThrowable(() -> Echo.unary(dialled, ""))))
            .toCompletableFuture()
            .get(20, TimeUnit.SECONDS);
    // If the dial was complete before, the stage ran on this thread, where one may wait.
    failure.ifPresent(
        refused ->
            assertThat(Status.fromThrowable(refused).getCode())
                .isEqualTo(Code.FAILED_PRECONDITION));
  }

  @Test
  void blockingStubOnTheEventLoopOfAnotherHostWorks() throws Exception {
    Stream other = Hosts.open(hosts.start(Hosts.TCP), listener, server.handler());
    assertThat(
            other
                .channel()
                .eventLoop()
                .submit(() -> Echo.unary(channel, "hello"))
                .get(20, TimeUnit.SECONDS))
        .isEqualTo("hello");
  }

  @Test
  void asynchronousStubWorksOnTheEventLoop() throws Exception {
    Echo.Responses responses = new Echo.Responses();
    onLoop(
        () -> {
          Echo.bidi(channel, responses).onNext("hello");
          return true;
        });
    assertThat(responses.next()).isEqualTo("hello");
  }
}
