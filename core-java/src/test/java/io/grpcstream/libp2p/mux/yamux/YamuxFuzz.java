package io.grpcstream.libp2p.mux.yamux;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever frames a peer sends, to either side, in whatever pieces, with streams that are read or
 * not: what it makes us hold is bounded by the windows, and nothing is left in the end.
 */
class YamuxFuzz {
  private static final int LISTENER = 1;
  private static final int UNREAD = 2;

  /** The initial windows of the streams that inputs of the fuzzer's length can open. */
  private static final long MOST_HELD = 4 << 20;

  static Stream<byte[]> seeds() {
    return Stream.of(
        input(
            LISTENER,
            Frame.data(Frame.SYN, 1, 5),
            Frame.data(0, 1, 300),
            Frame.windowUpdate(0, 1, 70_000),
            Frame.windowUpdate(Frame.FIN, 1, 0),
            Frame.goAway(0)),
        input(
            LISTENER | UNREAD,
            Frame.windowUpdate(Frame.SYN, 1, 0),
            Frame.data(Frame.FIN, 1, 9),
            Frame.windowUpdate(Frame.SYN, 3, 0),
            Frame.windowUpdate(Frame.RST, 3, 0)),
        input(
            0,
            Frame.windowUpdate(Frame.ACK, 1, 0),
            Frame.data(0, 1, 100),
            Frame.ping(Frame.SYN, 7),
            Frame.ping(Frame.ACK, 7),
            Frame.windowUpdate(Frame.RST, 1, 0)));
  }

  private static byte[] input(int options, Frame... frames) {
    byte[] input = {(byte) options, 63};
    for (Frame frame : frames) {
      byte[] bytes = frame.bytes();
      input = Arrays.copyOf(input, input.length + bytes.length);
      System.arraycopy(bytes, 0, input, input.length - bytes.length, bytes.length);
    }
    return input;
  }

  @MethodSource("seeds")
  @FuzzTest(maxExecutions = 10_000)
  void whatIsHeldIsBoundedAndReleased(byte[] input) {
    if (input.length < 2) {
      return;
    }
    Side side = new Side((input[0] & LISTENER) == 0);
    side.onInbound = stream -> stream.config().setAutoRead((input[0] & UNREAD) == 0);
    side.open().writeAndFlush(Side.buffer(1_000));
    int piece = 1 + (input[1] & 0xff);
    for (int from = 2; from < input.length && side.connection.isOpen(); from += piece) {
      side.feed(Arrays.copyOfRange(input, from, Math.min(input.length, from + piece)));
      side.runTasks();
    }
    assertThat(side.alloc.metric().usedHeapMemory()).as("bytes held").isLessThan(MOST_HELD);
    side.finish();
  }
}
