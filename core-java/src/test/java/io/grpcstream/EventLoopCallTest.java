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
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.crypto.PrivateKey;
import io.netty.util.concurrent.BlockingOperationException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
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
  @DisplayName("A blocking stub on the event loop of its stream fails at once and says what to do")
  void blockingStubOnTheEventLoop() throws Exception {
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
  @DisplayName("Waiting for any stage on an event loop fails at once and says what to do")
  void waitingForAStageOnAnEventLoop() throws Exception {
    Host dialler = hosts.start(Hosts.TCP);
    PeerId unreachable = PeerId.of(PrivateKey.generateEd25519().publicKey());
    Map<String, Supplier<CompletionStage<?>>> stages = new LinkedHashMap<>();
    stages.put("connect", () -> dialler.connect(Hosts.address(listener)));
    stages.put("newStream", () -> opener.newStream(listener.peerId(), Wire.PROTOCOL));
    stages.put("newStream of a connection", () -> newStreamOfConnection());
    stages.put("ping", () -> opener.ping(listener.peerId()));
    stages.put("dial", () -> GrpcStream.dial(opener, listener.peerId(), Wire.PROTOCOL));
    stages.put("closed of a connection", () -> opener.connections().get(0).closed());
    stages.put("closed of a stream", stream::closed);
    stages.put("hostShutdown of a stream", stream::hostShutdown);
    stages.put("closed of a host", listener::closed);
    stages.put("accept", () -> GrpcStream.create().accept());
    stages.put("terminated", server::terminated);
    stages.put("what was made of one", () -> listener.closed().thenApply(closed -> unreachable));
    stages.put("shutdown of a GrpcStream", () -> server.shutdown(Duration.ofMinutes(1)));
    stages.put("shutdown of a host", () -> listener.shutdown(Duration.ofMinutes(1)));
    for (Map.Entry<String, Supplier<CompletionStage<?>>> stage : stages.entrySet()) {
      List<Throwable> failures =
          onLoop(
              () -> {
                CompletableFuture<?> future = stage.getValue().get().toCompletableFuture();
                return List.of(
                    catchThrowable(future::join),
                    catchThrowable(future::get),
                    catchThrowable(() -> future.get(1, TimeUnit.MINUTES)));
              });
      assertThat(failures)
          .as(stage.getKey())
          .allSatisfy(
              failure ->
                  assertThat(failure)
                      .isInstanceOf(BlockingOperationException.class)
                      .hasMessageContainingAll("thenCompose", "thenApplyAsync"));
    }
  }

  private CompletionStage<Stream> newStreamOfConnection() {
    return opener.connections().get(0).newStream(Wire.PROTOCOL);
  }

  @Test
  @DisplayName("Closing on the event loop of another host does not wait")
  void closingOnAnotherHostsEventLoop() throws Exception {
    assertThat(onLoop(() -> catchThrowable(listener::close))).isNull();
    listener.closed().toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  @Test
  @DisplayName("close() begins on an event loop, and returns at once, of whatever it is")
  void closingOnAnEventLoop() throws Exception {
    GrpcPeer peer = GrpcPeer.builder().build();
    Hosts.await(peer.start());
    assertThat(onLoop(() -> catchThrowable(server::close))).isNull();
    assertThat(onLoop(() -> catchThrowable(peer::close))).isNull();
    assertThat(onLoop(() -> catchThrowable(opener::close))).isNull();
    Hosts.await(server.terminated());
    Hosts.await(peer.closed());
    Hosts.await(opener.closed());
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
