package io.grpcstream.libp2p.mux.yamux;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBufUtil;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Frames written out byte by byte from the specification, both ways. */
class FrameBytesTest {
  private static final byte[] HELLO = "hello".getBytes(StandardCharsets.US_ASCII);

  @Test
  @DisplayName("A stream opens with an odd ID, and SYN in its first data frame")
  void streamOpensWithItsFirstData() {
    Side side = new Side(true);
    YamuxStreamChannel stream = side.open();
    stream.writeAndFlush(side.alloc.buffer().writeBytes(HELLO));
    assertSends(side, "00 00 0001 00000001 00000005 68656c6c6f");
    stream.writeAndFlush(side.alloc.buffer().writeBytes(HELLO));
    assertSends(side, "00 00 0000 00000001 00000005 68656c6c6f");
    side.finish();
  }

  @Test
  @DisplayName("A stream that sends nothing opens with an empty window update")
  void silentStreamOpensWithAWindowUpdate() {
    Side side = new Side(true);
    side.open();
    side.open();
    assertSends(side, "00 01 0001 00000001 00000000  00 01 0001 00000003 00000000");
    side.finish();
  }

  @Test
  void theListenersStreamsAreEven() {
    Side side = new Side(false);
    side.open();
    assertSends(side, "00 01 0001 00000002 00000000");
    side.finish();
  }

  @Test
  void anInboundStreamIsAcknowledgedInItsFirstFrame() {
    Side side = new Side(false);
    side.onInbound = stream -> stream.writeAndFlush(stream.alloc().buffer().writeBytes(HELLO));
    side.feed(bytes("00 01 0001 00000001 00000000"));
    assertSends(side, "00 00 0002 00000001 00000005 68656c6c6f");
    side.onInbound = stream -> {};
    side.feed(bytes("00 01 0001 00000003 00000000"));
    assertSends(side, "00 01 0002 00000003 00000000");
    side.finish();
  }

  @Test
  void dataFinAndResetOfTheSpecification() {
    Side side = new Side(false);
    side.feed(bytes("00 00 0001 00000001 00000005 68656c6c6f  00 01 0004 00000001 00000000"));
    YamuxStreamChannel stream = side.onlyInbound();
    assertThat(side.recorder(stream).bytes()).isEqualTo(HELLO);
    assertThat(stream.isOpen()).isFalse();
    assertSends(side, "00 01 0002 00000001 00000000  00 01 0004 00000001 00000000");
    side.feed(bytes("00 01 0001 00000003 00000000"));
    assertSends(side, "00 01 0002 00000003 00000000");
    side.inbound.get(1).reset();
    assertSends(side, "00 01 0008 00000003 00000000");
    side.finish();
  }

  @Test
  void pingsAreEchoedWithAckAndTheSameValue() {
    Side side = new Side(false);
    side.feed(bytes("00 02 0001 00000000 deadbeef"));
    assertSends(side, "00 02 0002 00000000 deadbeef");
    side.session.ping();
    assertSends(side, "00 02 0001 00000000 00000001");
    side.finish();
  }

  @Test
  void goAwayCarriesItsCode() {
    Side side = new Side(true);
    side.turn(() -> assertThat(side.session.goAway(GoAwayCode.NORMAL).isDone()).isFalse());
    assertSends(side, "00 03 0000 00000000 00000000");
    side.session.goAway(GoAwayCode.INTERNAL_ERROR);
    assertSends(side, "00 03 0000 00000000 00000002");
    side.feed(bytes("00 03 0000 00000000 00000001"));
    side.feed(bytes("00 03 0000 00000000 00000007"));
    assertThat(side.goAways).containsExactly(GoAwayCode.PROTOCOL_ERROR, GoAwayCode.UNKNOWN);
    side.finish();
  }

  @Test
  void framesMayArriveByteByByte() {
    Side side = new Side(false);
    byte[] all = bytes("00 00 0001 00000001 00000005 68656c6c6f  00 02 0001 00000000 00000009");
    for (byte one : all) {
      side.feed(new byte[] {one});
    }
    assertThat(side.recorder(side.onlyInbound()).bytes()).isEqualTo(HELLO);
    assertThat(side.sentText()).containsExactly("WINDOW[ACK] 1 +0", "PING[ACK] 0 +9");
    side.finish();
  }

  @Test
  void oneHalfOfTheWindowReadIsGivenBackInOneUpdate() {
    Side side = new Side(false);
    side.feed(bytes("00 01 0001 00000001 00000000"));
    side.sent();
    side.feed(Frame.data(0, 1, 131_071));
    assertSends(side, "");
    side.feed(Frame.data(0, 1, 1));
    assertSends(side, "00 01 0000 00000001 00020000");
    side.finish();
  }

  private static byte[] bytes(String hex) {
    return HexFormat.of().parseHex(hex.replace(" ", ""));
  }

  private static void assertSends(Side side, String hex) {
    side.runTasks();
    assertThat(ByteBufUtil.hexDump(side.sentBytes())).isEqualTo(hex.replace(" ", ""));
  }
}
