package io.grpcstream.libp2p.mux.yamux;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** How streams share a connection that takes less than they have to send. */
class FairnessTest {
  private final Side side = new Side(true);

  @Test
  void streamsTakeTurnsOfOneFrame() {
    YamuxStreamChannel bulk = side.open();
    YamuxStreamChannel other = side.open();
    YamuxStreamChannel small = side.open();
    side.sent();
    side.turn(
        () -> {
          bulk.writeAndFlush(Side.buffer(200_000));
          other.writeAndFlush(Side.buffer(200_000));
          small.writeAndFlush(Side.buffer(10));
        });
    assertThat(side.sent())
        .extracting(Frame::streamId)
        .containsExactly(1L, 3L, 5L, 1L, 3L, 1L, 3L, 1L, 3L);
    side.finish();
  }

  @Test
  void aFullConnectionTakesOnePortionAtATime() {
    YamuxStreamChannel bulk = side.open();
    side.sent();
    side.congest();
    side.turn(() -> bulk.writeAndFlush(Side.buffer(200_000)));
    assertThat(side.sent()).isEmpty();
    side.relieve();
    assertThat(side.sent()).hasSize(4);
    side.finish();
  }

  @Test
  @DisplayName("Control frames do not wait behind data that is not yet a frame")
  void controlFramesDoNotWait() {
    YamuxStreamChannel bulk = side.open();
    YamuxStreamChannel other = side.open();
    YamuxStreamChannel ended = side.open();
    side.sent();
    side.congest();
    side.turn(
        () -> {
          bulk.writeAndFlush(Side.buffer(200_000));
          other.writeAndFlush(Side.buffer(200_000));
        });
    side.feed(Frame.ping(Frame.SYN, 77));
    ended.shutdownOutput();
    bulk.reset();
    side.relieve();
    assertThat(side.sentText())
        .startsWith("PING[ACK] 0 +77", "WINDOW[FIN] 5 +0", "WINDOW[RST] 1 +0", "DATA 3 +65507");
    side.finish();
  }

  @Test
  void finNeverOvertakesItsStreamsData() {
    YamuxStreamChannel bulk = side.open();
    side.sent();
    side.congest();
    side.turn(
        () -> {
          bulk.writeAndFlush(Side.buffer(100_000));
          bulk.shutdownOutput();
        });
    side.relieve();
    assertThat(side.sentText())
        .containsExactly("DATA 1 +65507", "DATA 1 +34493", "WINDOW[FIN] 1 +0");
    side.finish();
  }

  @Test
  @DisplayName("A small message waits for one frame of each other stream at most")
  void smallMessageWaitsForOneFrameEach() {
    List<YamuxStreamChannel> bulk = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      bulk.add(side.open());
    }
    YamuxStreamChannel small = side.open();
    side.sent();
    side.turn(
        () -> {
          bulk.forEach(stream -> stream.writeAndFlush(Side.buffer(262_144)));
          small.writeAndFlush(Side.buffer(10));
        });
    List<Frame> frames = side.sent();
    assertThat(frames).extracting(Frame::streamId).element(20).isEqualTo(small.streamId());
    side.finish();
  }

  @Test
  @DisplayName("A hundred stopped streams leave the live one its place")
  void stoppedStreamsLeaveRoom() {
    Pair pair = new Pair();
    List<YamuxStreamChannel> stopped = new ArrayList<>();
    pair.listener.onInbound = stream -> stream.config().setAutoRead(false);
    for (int i = 0; i < 100; i++) {
      YamuxStreamChannel stream = pair.open();
      stopped.add(stream);
      while (stream.isWritable()) {
        stream.writeAndFlush(Side.buffer(16_384));
        pair.settle();
      }
    }
    pair.listener.onInbound = stream -> {};
    YamuxStreamChannel live = pair.open();
    live.writeAndFlush(Side.buffer(32));
    List<Frame> sent = pair.dialer.sent();
    assertThat(sent).hasSize(1);
    pair.listener.feed(sent.toArray(Frame[]::new));
    assertThat(pair.listener.recorder(pair.accepted()).bytes()).hasSize(32);
    pair.accepted().writeAndFlush(Side.buffer(32));
    pair.settle();
    assertThat(pair.dialer.recorder(live).bytes()).hasSize(32);

    // What the receiver holds is the hundred windows and little more; the sender holds nothing.
    long held = pair.listener.alloc.metric().usedHeapMemory();
    assertThat(held).isBetween(100L * 262_144, 100L * 262_144 * 9 / 4);
    assertThat(pair.dialer.alloc.metric().usedHeapMemory()).isZero();

    // They go on without loss.
    stopped.forEach(YamuxStreamChannel::shutdownOutput);
    pair.listener.inbound.forEach(stream -> stream.config().setAutoRead(true));
    pair.settle();
    for (YamuxStreamChannel stream : pair.listener.inbound.subList(0, 100)) {
      assertThat(pair.listener.recorder(stream).bytes()).hasSize(262_144);
    }
    pair.finish();
  }

  /**
   * What a sender holds for readers that stopped: of each stream at most the high water mark and
   * the write that crossed it; the windows are with the receiver.
   */
  @Test
  @DisplayName("A sender to a hundred stopped readers holds a water mark and one write for each")
  void memoryForStoppedReaders() {
    Pair pair = new Pair();
    pair.listener.onInbound = stream -> stream.config().setAutoRead(false);
    long pending = 0;
    for (int i = 0; i < 100; i++) {
      YamuxStreamChannel stream = pair.open();
      int written = 0;
      while (stream.isWritable()) {
        stream.writeAndFlush(pair.dialer.alloc.buffer(10_000).writeZero(10_000));
        written += 10_000;
        pair.settle();
      }
      assertThat(written).isEqualTo(270_000);
      pending += stream.unsafe().outboundBuffer().totalPendingWriteBytes();
    }
    assertThat(pending).isLessThanOrEqualTo(100 * (65_536 + 10_000L));
    assertThat(pair.dialer.alloc.metric().usedHeapMemory()).isEqualTo(100 * 10_000L);
    pair.finish();
  }
}
