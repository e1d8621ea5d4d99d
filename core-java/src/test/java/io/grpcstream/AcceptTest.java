package io.grpcstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.ManagedChannel;
import io.grpc.Status.Code;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Stream;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class AcceptTest {
  private final Wire wire = Wire.local();
  private GrpcStream grpc = GrpcStream.builder().addService(Echo.service()).build();

  @AfterEach
  void close() throws Exception {
    get(grpc.shutdown(Duration.ZERO).toCompletableFuture());
    wire.close();
  }

  private Stream open(PeerId opener) {
    return wire.open(opener, Wire.peer(), Wire.PROTOCOL, grpc.handler());
  }

  private Stream open() {
    return open(Wire.peer());
  }

  /** Opens a stream and returns who opened it. */
  private PeerId openAndArrive() {
    PeerId opener = Wire.peer();
    open(opener);
    return opener;
  }

  private GrpcConnection accept() throws Exception {
    return get(grpc.accept().toCompletableFuture());
  }

  private static <T> T get(Future<T> future) throws Exception {
    return future.get(10, TimeUnit.SECONDS);
  }

  @Test
  void waitingStreamsAreAcceptedInTheOrderOfArrival() throws Exception {
    List<PeerId> openers = List.of(openAndArrive(), openAndArrive(), openAndArrive());

    assertThat(List.of(accept().remotePeer(), accept().remotePeer(), accept().remotePeer()))
        .isEqualTo(openers);
  }

  @Test
  void waitingAcceptsAreServedInTheOrderOfAsking() throws Exception {
    List<CompletableFuture<GrpcConnection>> accepts = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      accepts.add(grpc.accept().toCompletableFuture());
    }
    for (CompletableFuture<GrpcConnection> accept : accepts) {
      PeerId opener = openAndArrive();
      assertThat(get(accept).remotePeer()).isEqualTo(opener);
    }
  }

  @Test
  void connectionTellsWhoOpenedWhatFromWhere() throws Exception {
    PeerId opener = Wire.peer();
    open(opener);
    GrpcConnection connection = accept();

    assertThat(connection.remotePeer()).isEqualTo(opener);
    assertThat(connection.protocol()).isEqualTo(Wire.PROTOCOL);
    assertThat(connection.remoteAddress()).hasToString("/ip4/127.0.0.1/tcp/4001/p2p/" + opener);
  }

  @Test
  @DisplayName("An accepted connection is served though serve() was not called")
  void acceptedConnectionIsServed() throws Exception {
    ManagedChannel channel = GrpcStream.wrapClient(open());
    accept().serve();

    assertThat(Echo.unary(channel, "hello")).isEqualTo("hello");
  }

  @Test
  @DisplayName("A call made while the stream waits is answered once it is served")
  void callMadeWhileTheStreamWaits() throws Exception {
    ManagedChannel channel = GrpcStream.wrapClient(open());
    Echo.Responses responses = new Echo.Responses();
    Echo.bidi(channel, responses).onNext("early");
    accept().serve();

    assertThat(responses.next()).isEqualTo("early");
  }

  @Test
  void decisionIsFinal() throws Exception {
    open();
    GrpcConnection connection = accept();
    connection.serve();

    assertThatThrownBy(connection::refuse)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(connection.remotePeer().toString())
        .hasMessageContaining("SERVED");
    assertThatThrownBy(connection::client).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(connection::serve).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(connection::giveBack).isInstanceOf(IllegalStateException.class);
  }

  @Test
  @DisplayName("A refused connection is reset, and the opener sees UNAVAILABLE")
  void refusedConnectionIsReset() throws Exception {
    ManagedChannel channel = GrpcStream.wrapClient(open());
    GrpcConnection connection = accept();
    connection.refuse();

    assertThat(Echo.failure(channel).getCode()).isEqualTo(Code.UNAVAILABLE);
    get(connection.closed().toCompletableFuture());
  }

  @Test
  void closingAnUndecidedConnectionRefusesIt() throws Exception {
    ManagedChannel channel = GrpcStream.wrapClient(open());
    accept().close();

    assertThat(Echo.failure(channel).getCode()).isEqualTo(Code.UNAVAILABLE);
  }

  @Test
  void closingAServedConnectionLetsItsCallsFinish() throws Exception {
    ManagedChannel channel = GrpcStream.wrapClient(open());
    GrpcConnection connection = accept();
    connection.serve();
    Echo.Responses responses = new Echo.Responses();
    var call = Echo.bidi(channel, responses);
    call.onNext("before");
    assertThat(responses.next()).isEqualTo("before");

    connection.close();
    call.onNext("after");
    assertThat(responses.next()).isEqualTo("after");
    call.onCompleted();
    responses.awaitEnd();
    get(connection.closed().toCompletableFuture());
  }

  @Test
  void acceptedConnectionCanBeTheClientOfItsOpener() throws Exception {
    try (GrpcStream opener =
        GrpcStream.builder().addService(Echo.service(s -> "opener: " + s)).build()) {
      opener.serve().serve(open());

      ManagedChannel channel = accept().client();
      assertThat(Echo.unary(channel, "hello")).isEqualTo("opener: hello");
    }
  }

  @Test
  void connectionGivenBackIsTheNextToBeAccepted() throws Exception {
    PeerId first = openAndArrive();
    PeerId second = openAndArrive();
    accept().giveBack();

    assertThat(accept().remotePeer()).isEqualTo(first);
    assertThat(accept().remotePeer()).isEqualTo(second);
  }

  @Test
  @DisplayName("A stream beyond the backlog is reset, and its opener sees UNAVAILABLE")
  void streamBeyondTheBacklogIsReset() throws Exception {
    grpc = GrpcStream.builder().addService(Echo.service()).backlog(1).build();
    ManagedChannel waiting = GrpcStream.wrapClient(open());
    ManagedChannel refused = GrpcStream.wrapClient(open());

    assertThat(Echo.failure(refused).getCode()).isEqualTo(Code.UNAVAILABLE);
    accept().serve();
    assertThat(Echo.unary(waiting, "hello")).isEqualTo("hello");
  }

  @Test
  void withoutABacklogOnlyAwaitedStreamsAreTaken() throws Exception {
    grpc = GrpcStream.builder().addService(Echo.service()).backlog(0).build();
    assertThat(Echo.failure(GrpcStream.wrapClient(open())).getCode()).isEqualTo(Code.UNAVAILABLE);

    CompletableFuture<GrpcConnection> accept = grpc.accept().toCompletableFuture();
    ManagedChannel channel = GrpcStream.wrapClient(open());
    get(accept).serve();
    assertThat(Echo.unary(channel, "hello")).isEqualTo("hello");
  }

  @Test
  @DisplayName("A stream that waits too long is reset, and its opener sees UNAVAILABLE")
  void streamThatWaitsTooLongIsReset() throws Exception {
    grpc = GrpcStream.builder().backlogTimeout(Duration.ofMillis(20)).build();
    ManagedChannel channel = GrpcStream.wrapClient(open());

    assertThat(Echo.failure(channel).getCode()).isEqualTo(Code.UNAVAILABLE);
    assertThat(grpc.accept().toCompletableFuture()).isNotDone();
  }

  @Test
  void streamThatEndsWhileItWaitsIsNotAccepted() throws Exception {
    CompletableFuture<Stream> accepted = new CompletableFuture<>();
    Stream first =
        wire.open(
            stream -> {
              grpc.handler().onStream(stream);
              accepted.complete(stream);
            });
    Stream waiting = get(accepted);
    first.reset();
    get(waiting.closed().toCompletableFuture());
    PeerId second = openAndArrive();

    assertThat(accept().remotePeer()).isEqualTo(second);
  }

  @Test
  void cancelledAcceptLosesNoStream() throws Exception {
    CompletableFuture<GrpcConnection> cancelled = grpc.accept().toCompletableFuture();
    CompletableFuture<GrpcConnection> next = grpc.accept().toCompletableFuture();
    cancelled.cancel(true);
    PeerId opener = openAndArrive();

    assertThat(get(next).remotePeer()).isEqualTo(opener);
  }

  @Test
  void acceptThatTimesOutLosesNoStream() throws Exception {
    CompletableFuture<GrpcConnection> timedOut =
        grpc.accept().toCompletableFuture().orTimeout(1, TimeUnit.MILLISECONDS);
    assertThatThrownBy(() -> get(timedOut)).isInstanceOf(ExecutionException.class);
    PeerId opener = openAndArrive();

    assertThat(accept().remotePeer()).isEqualTo(opener);
  }

  @Test
  void streamsAndCancellationsThatMeetLoseNoStream() throws Exception {
    int streams = 200;
    grpc = GrpcStream.builder().backlog(streams).build();
    Set<PeerId> opened = Collections.synchronizedSet(new HashSet<>());
    ExecutorService opener = Executors.newSingleThreadExecutor();
    try {
      Future<?> opening =
          opener.submit(
              () -> {
                for (int i = 0; i < streams; i++) {
                  opened.add(openAndArrive());
                }
              });
      Set<PeerId> accepted = new HashSet<>();
      while (accepted.size() < streams) {
        CompletableFuture<GrpcConnection> accept = grpc.accept().toCompletableFuture();
        if (!accept.cancel(false)) {
          assertThat(accepted.add(accept.get().remotePeer())).as("accepted once only").isTrue();
        }
      }
      get(opening);
      assertThat(accepted).isEqualTo(opened);
    } finally {
      opener.shutdownNow();
    }
  }

  @Test
  void concurrentAcceptsGetOneStreamEach() throws Exception {
    int streams = 64;
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      List<Future<PeerId>> accepts = new ArrayList<>();
      for (int i = 0; i < streams; i++) {
        accepts.add(threads.submit(() -> accept().remotePeer()));
      }
      Set<PeerId> opened = new HashSet<>();
      for (int i = 0; i < streams; i++) {
        opened.add(openAndArrive());
      }
      Set<PeerId> accepted = new HashSet<>();
      for (Future<PeerId> accept : accepts) {
        accepted.add(get(accept));
      }
      assertThat(accepted).hasSize(streams).isEqualTo(opened);
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void serveServesTheBacklogAndEndsAccepting() throws Exception {
    ManagedChannel waiting = GrpcStream.wrapClient(open());
    Echo.Responses responses = new Echo.Responses();
    Echo.bidi(waiting, responses).onNext("waited");
    grpc.serve();

    assertThat(responses.next()).isEqualTo("waited");
    assertThat(Echo.unary(GrpcStream.wrapClient(open()), "new")).isEqualTo("new");
    assertThatThrownBy(this::accept).hasCauseInstanceOf(IllegalStateException.class);
    assertThat(grpc.serve()).isSameAs(grpc);
  }

  @Test
  void pendingAcceptFailsOnceServeIsCalled() {
    CompletableFuture<GrpcConnection> pending = grpc.accept().toCompletableFuture();
    grpc.serve();

    assertThatThrownBy(() -> get(pending)).hasCauseInstanceOf(IllegalStateException.class);
  }

  @Test
  void acceptFailsOnceClosed() {
    CompletableFuture<GrpcConnection> pending = grpc.accept().toCompletableFuture();
    grpc.close();

    assertThatThrownBy(() -> get(pending)).hasCauseInstanceOf(ClosedChannelException.class);
    assertThatThrownBy(this::accept).hasCauseInstanceOf(ClosedChannelException.class);
  }

  @Test
  void acceptFailsAsClosedAlsoIfItServedBefore() {
    grpc.serve().close();

    assertThatThrownBy(this::accept).hasCauseInstanceOf(ClosedChannelException.class);
    assertThatThrownBy(grpc::serve).isInstanceOf(IllegalStateException.class);
  }
}
