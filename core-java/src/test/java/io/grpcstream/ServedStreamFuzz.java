package io.grpcstream;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.grpcstream.libp2p.Multiaddr;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.testing.CountedChannel;
import io.netty.buffer.ByteBufUtil;
import io.netty.handler.codec.http2.Http2CodecUtil;
import java.time.Duration;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever a peer sends on a stream that is served, from the preface on: nothing is left of it. */
class ServedStreamFuzz {
  private static final Logger GRPC = Logger.getLogger("io.grpc");
  private static final PeerId US = Wire.peer();
  private static final PeerId PEER = Wire.peer();
  private static final Multiaddr ADDRESS = Multiaddr.parse("/ip4/127.0.0.1/tcp/4001");

  private static final GrpcStream grpc =
      GrpcStream.builder().directExecutor().addService(Echo.service()).build().serve();

  static {
    GRPC.setLevel(Level.OFF); // It logs what it refuses.
  }

  static Stream<byte[]> seeds() {
    byte[] preface = ByteBufUtil.getBytes(Http2CodecUtil.connectionPrefaceBuf());
    byte[] input = new byte[1 + preface.length + 9];
    input[0] = 100;
    System.arraycopy(preface, 0, input, 1, preface.length);
    input[1 + preface.length + 3] = 4; // SETTINGS
    return Stream.of(input);
  }

  @MethodSource("seeds")
  @FuzzTest(maxExecutions = 5_000)
  void nothingIsLeft(byte[] input) throws Exception {
    CountedChannel channel = new CountedChannel();
    grpc.handler()
        .onStream(
            io.grpcstream.libp2p.Stream.over(channel, US, PEER, ADDRESS, Wire.PROTOCOL, false));
    channel.arrive(input);
    channel.end();
  }

  @AfterAll
  static void close() {
    grpc.shutdown(Duration.ZERO).toCompletableFuture().join();
  }
}
