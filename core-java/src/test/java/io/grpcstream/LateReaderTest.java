package io.grpcstream;

import static io.grpcstream.Hosts.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ClientResponseObserver;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Stream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Calls whose executor gets to their messages only when the host and its event loops are gone. */
@Timeout(60)
class LateReaderTest {
  private static final Duration LONG = Duration.ofMinutes(5);

  private final BlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();
  private final Log log = new Log();

  /** Makes a call that the server answers three times, and ends both hosts as soon as it has. */
  private void callAndEndTheHost(int initialRequests, boolean keepAsking) {
    log.initialRequests = initialRequests;
    log.keepsAsking = keepAsking;
    try (Hosts hosts = new Hosts();
        GrpcStream grpc = GrpcStream.builder().addService(Echo.service()).build().serve()) {
      Host client = hosts.start(Hosts.TCP);
      Stream stream = Hosts.open(client, hosts.start(Hosts.TCP), grpc.handler());
      // A call that could still be retried would need its executor for the channel to end.
      GrpcStream caller =
          GrpcStream.builder().configureClient(ManagedChannelBuilder::disableRetry).build();
      ManagedChannel channel = caller.client(stream);
      Echo.unary(channel, "ready"); // A call on a channel that is not would need its executor.
      CallOptions options = CallOptions.DEFAULT.withExecutor(tasks::add);
      ClientCalls.asyncServerStreamingCall(
          channel.newCall(Echo.SERVER_STREAM, options), "hello", log);
      await(caller.shutdown(LONG));
      await(client.shutdown(LONG));
    }
  }

  private void runTasks() {
    for (Runnable task; (task = tasks.poll()) != null; ) {
      task.run();
    }
  }

  @Test
  void messagesThatWereAskedForBeforeAreDelivered() {
    callAndEndTheHost(3, false);
    assertThat(log.events).isEmpty();

    runTasks();
    assertThat(log.events).containsExactly("hello", "hello", "hello", "end");
  }

  @Test
  @DisplayName("Messages that are asked for when their turn comes are delivered")
  void messagesAskedForInTheirTurn() {
    callAndEndTheHost(1, true);

    runTasks();
    assertThat(log.events).containsExactly("hello", "hello", "hello", "end");
  }

  @Test
  @DisplayName("A call that does not ask for the rest fails in place of ending well")
  void restThatIsNotAskedFor() {
    callAndEndTheHost(1, false);

    runTasks();
    assertThat(log.events).hasSize(2).first().isEqualTo("hello");
    assertThat(log.events.get(1)).startsWith("io.grpc.StatusRuntimeException: UNAVAILABLE");
  }

  private static final class Log implements ClientResponseObserver<String, String> {
    private final List<String> events = new ArrayList<>();
    private int initialRequests;
    private boolean keepsAsking;
    private @Nullable ClientCallStreamObserver<String> call;

    @Override
    public void beforeStart(ClientCallStreamObserver<String> starting) {
      starting.disableAutoRequestWithInitial(initialRequests);
      call = starting;
    }

    @Override
    public void onNext(String response) {
      events.add(response);
      if (keepsAsking && call != null) {
        call.request(1);
      }
    }

    @Override
    public void onError(Throwable failure) {
      events.add(failure.toString());
    }

    @Override
    public void onCompleted() {
      events.add("end");
    }
  }
}
