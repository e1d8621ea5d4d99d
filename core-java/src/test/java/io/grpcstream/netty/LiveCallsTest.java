package io.grpcstream.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.crypto.PrivateKey;
import io.netty.channel.embedded.EmbeddedChannel;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Calls that are dropped as they start, on another thread. */
class LiveCallsTest {
  private static final PeerId PEER = PeerId.of(PrivateKey.generateEd25519().publicKey());

  private final EmbeddedChannel channel = new EmbeddedChannel();
  private final LiveCalls calls =
      new LiveCalls(
          new StreamEnd(
              Stream.over(channel, PEER, PEER, Multiaddr.parse("/memory/1"), "/test/1.0.0", true)));

  @Test
  void aCallThatIsDroppedWhileItStartsIsDroppedThereafter() {
    DroppedInStart call = new DroppedInStart();
    new LiveCall<>(calls, call, CallOptions.DEFAULT, new CallTrace())
        .start(new ClientCall.Listener<String>() {}, new Metadata());
    assertThat(call.requested).isEqualTo(Integer.MAX_VALUE);
    call.listener.onClose(Status.CANCELLED, new Metadata()); // Else it would keep gRPC's executor.
    channel.close();
    calls.streamEnded(channel.eventLoop());
  }

  /** As gRPC's, it takes no requests before its start is done. */
  private final class DroppedInStart extends ClientCall<String, String> {
    private Listener<String> listener;
    private boolean started;
    private int requested;

    @Override
    public void start(Listener<String> listener, Metadata headers) {
      this.listener = listener;
      calls.drop();
      started = true;
    }

    @Override
    public void request(int messages) {
      assertThat(started).isTrue();
      requested += messages;
    }

    @Override
    public void cancel(@Nullable String message, @Nullable Throwable cause) {}

    @Override
    public void halfClose() {}

    @Override
    public void sendMessage(String message) {}
  }
}
