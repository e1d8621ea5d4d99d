package io.grpcstream.libp2p.protocol.identify;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.YamuxPair;
import io.grpcstream.testing.CountedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever a peer says of itself, in whatever pieces: the exchange ends, and is bounded. */
class IdentifyFuzz {
  static java.util.stream.Stream<byte[]> seeds() {
    byte[] message =
        IdentifyCodec.encode(
            new Identify(
                "ipfs/0.1.0",
                "agent/1",
                YamuxPair.ACCEPTOR_KEY,
                List.of(YamuxPair.ACCEPTOR_ADDRESS, Multiaddr.parse("/ip4/10.0.0.1/udp/1/quic-v1")),
                YamuxPair.DIALLER_ADDRESS,
                List.of("/ipfs/id/1.0.0", "/greeter/1.0.0")));
    byte[] input = new byte[message.length + 3];
    input[0] = (byte) 0xff;
    input[1] = (byte) (message.length & 0x7f | 0x80);
    input[2] = (byte) (message.length >> 7);
    System.arraycopy(message, 0, input, 3, message.length);
    return java.util.stream.Stream.of(input);
  }

  @MethodSource("seeds")
  @FuzzTest(maxExecutions = 20_000)
  void theExchangeEnds(byte[] input) {
    CountedChannel channel = new CountedChannel();
    Stream stream =
        Stream.over(
            channel,
            YamuxPair.DIALLER,
            YamuxPair.ACCEPTOR,
            YamuxPair.ACCEPTOR_ADDRESS,
            IdentifyProtocol.ID,
            true);
    CompletableFuture<Identify> told =
        IdentifyProtocol.query(stream, Multiaddr::isEmpty).toCompletableFuture();
    channel.arrive(input);
    channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
    assertThat(told).isDone();
    told.handle(
            (identify, failure) -> {
              if (failure == null) {
                assertThat(
                        identify.listenAddresses().stream().mapToInt(a -> a.bytes().length).sum())
                    .isLessThanOrEqualTo(IdentifyCodec.MAX_ADDRESS_BYTES);
                assertThat(identify.protocols().stream().mapToInt(String::length).sum())
                    .isLessThanOrEqualTo(IdentifyCodec.MAX_PROTOCOL_BYTES);
              } else {
                assertThat(failure).isInstanceOf(IdentifyException.class);
              }
              return null;
            })
        .join();
    channel.end();
  }
}
