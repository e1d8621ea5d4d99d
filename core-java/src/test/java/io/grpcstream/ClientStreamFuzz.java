package io.grpcstream;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.testing.CountedChannel;
import java.util.concurrent.CompletableFuture;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever a peer answers to a call: the call ends, and nothing is left of it. */
class ClientStreamFuzz {
  private static final Logger GRPC = Logger.getLogger("io.grpc");
  private static final PeerId US = Wire.peer();
  private static final PeerId PEER = Wire.peer();
  private static final Multiaddr ADDRESS = Multiaddr.parse("/ip4/127.0.0.1/tcp/4001");

  static {
    GRPC.setLevel(Level.OFF); // It logs what it refuses.
  }

  /** SETTINGS, then the head of an answer to the first call: ":status: 200". */
  static Stream<byte[]> seeds() {
    return Stream.of(
        new byte[] {100, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1, 1, 4, 0, 0, 0, 3, (byte) 0x88});
  }

  @MethodSource("seeds")
  @FuzzTest(maxExecutions = 5_000)
  void theCallEnds(byte[] input) {
    CountedChannel channel = new CountedChannel();
    ManagedChannel client =
        GrpcStream.wrapClientBuilder(
                io.grpcstream.libp2p.Stream.over(channel, US, PEER, ADDRESS, Wire.PROTOCOL, true))
            .directExecutor()
            .build();
    CompletableFuture<Status> ended = new CompletableFuture<>();
    ClientCall<String, String> call = client.newCall(Echo.UNARY, CallOptions.DEFAULT);
    call.start(
        new ClientCall.Listener<>() {
          @Override
          public void onClose(Status status, Metadata trailers) {
            ended.complete(status);
          }
        },
        new Metadata());
    call.sendMessage("request");
    call.halfClose();
    call.request(2);
    channel.runPendingTasks();
    channel.arrive(input);
    channel.end();
    assertThat(ended).isCompleted();
    client.shutdownNow();
    assertThat(client.isTerminated()).isTrue();
  }
}
