package io.grpcstream.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.crypto.PrivateKey;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.IOException;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a call's user is told when its stream has ended. */
class StreamEndTest {
  private static final PeerId PEER = PeerId.of(PrivateKey.generateEd25519().publicKey());

  private final EmbeddedChannel channel = new EmbeddedChannel();
  private final StreamEnd end =
      new StreamEnd(
          Stream.over(channel, PEER, PEER, Multiaddr.parse("/memory/1"), "/test/1.0.0", true));

  @ParameterizedTest
  @ValueSource(strings = {"", "lost", "t"})
  @DisplayName("What a call failed by is told, whatever the text of its cause")
  void textOfTheCall(String cause) {
    end.recordFailure(new IOException("connection lost"));
    Status failure =
        Status.INTERNAL
            .withDescription("cannot be decompressed")
            .withCause(new IllegalArgumentException(cause));
    assertThat(end.explain(failure).getDescription())
        .contains(PEER.toString(), "connection lost", "cannot be decompressed");
    channel.close();
  }

  @Test
  @DisplayName("What the stream was lost by is told once")
  void causeOfTheStream() {
    IOException lost = new IOException("connection lost");
    end.recordFailure(lost);
    Status failure = Status.UNAVAILABLE.withDescription("io exception").withCause(lost);
    assertThat(end.explain(failure).getDescription())
        .containsOnlyOnce("connection lost")
        .doesNotContain("io exception");
    channel.close();
  }
}
