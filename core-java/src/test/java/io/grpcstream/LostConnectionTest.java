package io.grpcstream;

import static io.grpcstream.Hosts.address;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Stream;
import io.netty.channel.EventLoop;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What calls say of a connection that the network has lost, wherever they were just then. */
@Timeout(60)
class LostConnectionTest {
  private static final String RESET =
      "recvAddress(..) failed with error(-104): Connection reset by peer";

  private final Hosts hosts = new Hosts();
  private final Host server = hosts.start(Hosts.TCP);
  private final Host client = hosts.start(builder -> builder);
  private final GrpcStream grpc = GrpcStream.builder().addService(Echo.service()).build().serve();

  @AfterEach
  void close() {
    grpc.shutdown(Duration.ZERO);
    hosts.close();
  }

  /** Runs {@code task} on {@code loop}, after all that is queued there then, so many times. */
  private static void after(int turns, EventLoop loop, Runnable task) {
    if (turns == 0) {
      task.run();
    } else {
      loop.execute(() -> after(turns - 1, loop, task));
    }
  }

  private void callsAreToldOfTheLoss(Channel channel, int turns, boolean mayGoOn) throws Exception {
    assertThat(Echo.unary(channel, "x")).isEqualTo("x");
    io.netty.channel.Channel connection =
        client.connections().get(0).streams().stream()
            .filter(stream -> stream.protocol().equals(Wire.PROTOCOL))
            .map(Stream::channel)
            .findFirst()
            .orElseThrow()
            .parent();
    List<Outcome> calls = new ArrayList<>();
    EventLoop loop = connection.eventLoop();
    loop.submit(
            () -> {
              for (int i = 0; i < 20; i++) {
                Outcome outcome = new Outcome();
                calls.add(outcome);
                // More than a window: some of it cannot leave.
                ClientCalls.asyncUnaryCall(
                    channel.newCall(Echo.UNARY, CallOptions.DEFAULT),
                    "x".repeat(i % 2 == 0 ? 1 : 400_000),
                    outcome);
              }
              after(
                  turns,
                  loop,
                  () -> connection.pipeline().fireExceptionCaught(new IOException(RESET)));
            })
        .get(20, TimeUnit.SECONDS);
    for (Outcome call : calls) {
      Status status = call.status.get(20, TimeUnit.SECONDS);
      if (status.isOk() && mayGoOn) {
        continue; // It had not left, and went over another connection.
      }
      assertThat(status.getCode()).as("%s", status).isEqualTo(Code.UNAVAILABLE);
      assertThat(status.getDescription())
          .containsOnlyOnce("Connection reset by peer")
          .containsOnlyOnce(server.peerId().toString())
          .containsOnlyOnce(address(server).withoutPeerId().toString())
          .doesNotContain("on this side")
          .doesNotContain("recvAddress");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5})
  @DisplayName("Calls on one stream say that the network lost it, and name the peer once")
  void callsOnAStream(int turns) throws Exception {
    Stream stream = Hosts.open(client, server, grpc.handler());
    ManagedChannel channel = GrpcStream.wrapClient(stream);
    callsAreToldOfTheLoss(channel, turns, false);
    channel.shutdownNow();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5})
  @DisplayName("So do calls on a channel to a peer")
  void callsOnAChannelToAPeer(int turns) throws Exception {
    server.handle(Wire.PROTOCOL, grpc.handler());
    ManagedChannel channel =
        PeerChannelBuilder.forAddress(client, address(server), Wire.PROTOCOL).build();
    callsAreToldOfTheLoss(channel, turns, true);
    channel.shutdownNow();
  }

  private static final class Outcome implements StreamObserver<String> {
    final CompletableFuture<Status> status = new CompletableFuture<>();

    @Override
    public void onNext(String response) {
      status.complete(Status.OK);
    }

    @Override
    public void onError(Throwable failure) {
      status.complete(Status.fromThrowable(failure));
    }

    @Override
    public void onCompleted() {
      status.complete(Status.OK);
    }
  }
}
