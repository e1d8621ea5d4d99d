package io.grpcstream.libp2p.mux.yamux;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.ChannelOption;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What a peer must not do, and that it costs the peer its connection or stream and us nothing. */
class HostilePeerTest {
  private final Side side = new Side(false);

  @Test
  void anUnknownVersionEndsTheConnection() {
    side.feed(new Frame(1, Frame.DATA, 0, 1, 0, new byte[0]));
    assertProtocolError("yamux: frame of version 1, only 0 is known");
  }

  @Test
  void anUnknownTypeEndsTheConnection() {
    side.feed(new byte[] {0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
    assertProtocolError("yamux: frame of unknown type 4");
  }

  @Test
  void unknownFlagsEndTheConnection() {
    side.feed(Frame.windowUpdate(0x11, 1, 0));
    assertProtocolError("yamux: frame with unknown flags 0x0011");
  }

  @Test
  void aSynWithAnIdOfTheWrongSideEndsTheConnection() {
    side.feed(Frame.windowUpdate(Frame.SYN, 2, 0));
    assertProtocolError("yamux: stream 2 opened with an id of the wrong side");
  }

  @Test
  void streamZeroCannotBeOpened() {
    side.feed(Frame.windowUpdate(Frame.SYN, 0, 0));
    assertProtocolError("yamux: stream 0 opened with an id of the wrong side");
  }

  @Test
  void aSecondSynEndsTheConnectionAndItsStreams() {
    side.feed(Frame.windowUpdate(Frame.SYN, 1, 0), Frame.windowUpdate(Frame.SYN, 1, 0));
    assertProtocolError("yamux: stream 1 opened twice");
    assertThat(side.recorder(side.onlyInbound()).exception)
        .isInstanceOf(ConnectionLostException.class)
        .hasMessage("yamux: stream 1 opened twice");
  }

  @Test
  void theIdOfAnEndedStreamCannotBeOpenedAgain() {
    side.feed(Frame.windowUpdate(Frame.SYN, 1, 0), Frame.windowUpdate(Frame.RST, 1, 0));
    side.feed(Frame.windowUpdate(Frame.SYN, 1, 0));
    assertProtocolError("yamux: stream 1 opened twice");
  }

  @Test
  void synsThatOvertookEachOtherAreFine() {
    for (long id : new long[] {5, 1, 9, 3, 7}) {
      side.feed(Frame.windowUpdate(Frame.SYN, id, 0));
    }
    assertThat(side.inbound)
        .extracting(YamuxStreamChannel::streamId)
        .containsExactly(5L, 1L, 9L, 3L, 7L);
    side.finish();
  }

  @Test
  @DisplayName("Data past the window ends the connection before any of it is kept")
  void dataPastTheWindow() {
    side.onInbound = stream -> stream.config().setAutoRead(false);
    side.feed(Frame.data(Frame.SYN, 1, 262_144));
    side.feed(new Frame(0, Frame.DATA, 0, 1, 1, new byte[0]));
    assertProtocolError("yamux: a 1-byte frame on stream 1, window 0");
  }

  @Test
  void anOversizedFrameWithSynMakesNoStream() {
    side.feed(new Frame(0, Frame.DATA, Frame.SYN, 1, 0xFFFF_FFFFL, new byte[0]));
    assertThat(side.inbound).isEmpty();
    assertProtocolError("yamux: a 4,294,967,295-byte frame on stream 1, window 262,144");
  }

  @Test
  void aLongFrameWithNothingBehindItHoldsNoMemory() {
    side.feed(new Frame(0, Frame.DATA, Frame.SYN, 1, 262_144, new byte[0]));
    side.sent();
    assertThat(side.alloc.metric().usedHeapMemory()).isZero();
    side.finish();
  }

  @Test
  @DisplayName("Data for a stream that was never opened ends the connection")
  void dataForAnUnopenedStream() {
    side.feed(Frame.data(0, 7, 10));
    assertProtocolError("yamux: 10 bytes of data for stream 7, which was never opened");
  }

  @Test
  @DisplayName("A window update for a stream of ours that was never opened ends the connection")
  void windowUpdateForAnUnopenedStream() {
    side.feed(Frame.windowUpdate(0, 2, 10));
    assertProtocolError("yamux: a window update for stream 2, which was never opened");
  }

  @Test
  void endingAStreamThatWasDroppedUnopenedIsIgnored() {
    side.feed(Frame.data(Frame.FIN, 1, 0), Frame.data(Frame.RST, 3, 0));
    assertThat(side.sent()).isEmpty();
    side.finish();
  }

  @Test
  @DisplayName("Data for an ended stream is ignored within the window it had")
  void dataForAnEndedStream() {
    side.feed(Frame.windowUpdate(Frame.SYN, 1, 0));
    side.onlyInbound().reset();
    assertThat(side.sentText()).containsExactly("WINDOW[ACK] 1 +0", "WINDOW[RST] 1 +0");
    for (int i = 0; i < 4; i++) {
      side.feed(Frame.data(0, 1, 65_536), Frame.windowUpdate(0, 1, 100));
    }
    assertThat(side.sent()).isEmpty();
    assertThat(side.connection.isActive()).isTrue();
    side.feed(Frame.data(0, 1, 1));
    assertProtocolError("yamux: data for ended streams, such as 1, past all the windows they had");
  }

  @Test
  void aWindowUpdatePastUint32EndsTheConnection() {
    side.feed(Frame.windowUpdate(Frame.SYN, 1, 0xFFFF_FFFFL - 262_144));
    assertThat(side.connection.isActive()).isTrue();
    side.feed(Frame.windowUpdate(0, 1, 1));
    assertProtocolError("yamux: a window update of 1 bytes overflows the send window of stream 1");
  }

  @Test
  void dataAfterFinResetsThatStreamAlone() {
    side.onInbound = stream -> stream.config().setAllowHalfClosure(true);
    side.feed(Frame.windowUpdate(Frame.SYN, 1, 0), Frame.windowUpdate(Frame.SYN, 3, 0));
    side.sent();
    side.feed(Frame.data(Frame.FIN, 1, 5), Frame.data(0, 1, 5), Frame.data(0, 3, 4));
    assertThat(side.sentText()).containsExactly("WINDOW[RST] 1 +0");
    assertThat(side.recorder(side.inbound.get(0)).exception)
        .hasMessage("yamux: stream 1 got data after FIN");
    assertThat(side.recorder(side.inbound.get(1)).bytes()).hasSize(4);
    side.finish();
  }

  @Test
  void aPingOnAStreamEndsTheConnection() {
    side.feed(new Frame(0, Frame.PING, Frame.SYN, 1, 0, new byte[0]));
    assertProtocolError("yamux: ping or GOAWAY on stream 1, not 0");
  }

  @Test
  void streamsPastTheLimitAreReset() {
    Side small = new Side(false, Side.QUIET.toBuilder().maxInboundStreams(2).build());
    for (int id = 1; id <= 5; id += 2) {
      small.feed(Frame.data(Frame.SYN, id, 8));
    }
    assertThat(small.sentText())
        .containsExactly("WINDOW[ACK] 1 +0", "WINDOW[ACK] 3 +0", "WINDOW[RST] 5 +0");
    assertThat(small.session.inboundStreams()).isEqualTo(2);
    small.feed(
        Frame.data(0, 5, 8), Frame.windowUpdate(Frame.RST, 1, 0), Frame.data(Frame.SYN, 7, 8));
    assertThat(small.sentText()).containsExactly("WINDOW[ACK] 7 +0");
    small.finish();
  }

  @Test
  void synsPastTheAckBacklogAreReset() {
    Frame[] syns = new Frame[258];
    for (int i = 0; i < syns.length; i++) {
      syns[i] = Frame.windowUpdate(Frame.SYN, 2 * i + 1, 0);
    }
    Side large = new Side(false, Side.QUIET.toBuilder().maxInboundStreams(1000).build());
    large.feed(syns);
    List<Frame> sent = large.sent();
    assertThat(sent.stream().filter(frame -> frame.has(Frame.ACK))).hasSize(256);
    assertThat(sent.stream().filter(frame -> frame.has(Frame.RST)).map(Frame::streamId))
        .containsExactly(513L, 515L);
    large.finish();
  }

  @Test
  void aSynFloodPastTheLimitEndsTheConnection() {
    Side small = new Side(false, Side.QUIET.toBuilder().maxInboundStreams(1).build());
    int fed = 0;
    for (; small.connection.isActive() && fed < 5_000; fed++) {
      small.feed(Frame.windowUpdate(Frame.SYN, 2 * fed + 1, 0));
    }
    assertThat(fed).isEqualTo(1 + 1024 + 1);
    assertThat(small.closedCause)
        .hasMessage(
            "yamux: too many SYNs past the limits of 1 streams and 256 unacknowledged ones, allowed"
                + " are 1024 at once and 128 a second");
    small.finish();
  }

  @Test
  @DisplayName("Opening and resetting streams without end ends the connection")
  void openingAndResettingWithoutEnd() {
    int fed = 0;
    for (; side.connection.isActive() && fed < 5_000; fed++) {
      side.feed(
          Frame.windowUpdate(Frame.SYN, 2 * fed + 1, 0),
          Frame.windowUpdate(Frame.RST, 2 * fed + 1, 0));
    }
    assertThat(fed).isEqualTo(1024 + 1);
    assertThat(side.closedCause)
        .hasMessageStartingWith("yamux: too many streams opened and reset by the peer");
    side.finish();
  }

  @Test
  void aPingFloodEndsTheConnection() {
    for (int i = 0; i < 64; i++) {
      side.feed(Frame.ping(Frame.SYN, i));
    }
    assertThat(side.sent()).hasSize(64);
    side.advance(Duration.ofSeconds(1));
    for (int i = 0; i < 16; i++) {
      side.feed(Frame.ping(Frame.SYN, i));
    }
    assertThat(side.sent()).hasSize(16);
    side.feed(Frame.ping(Frame.SYN, 1));
    assertProtocolError("yamux: too many pings, allowed are 64 at once and 16 a second");
  }

  @Test
  @DisplayName("Pings of a peer that does not read the answers end the connection")
  void pingsWithoutReadingTheAnswers() {
    side.congest();
    for (int i = 0; i < 64; i++) {
      side.advance(Duration.ofMillis(100));
      side.feed(Frame.ping(Frame.SYN, i));
    }
    assertThat(side.closedCalls).isZero();
    side.advance(Duration.ofMillis(100));
    side.feed(Frame.ping(Frame.SYN, 64));
    assertThat(side.closedCause).hasMessage("yamux: 64 ping answers that the peer did not read");
    side.finish();
  }

  @Test
  void answersToPingsThatNobodySentAreIgnored() {
    side.feed(Frame.ping(Frame.ACK, 0), Frame.ping(Frame.ACK, 1));
    assertThat(side.sent()).isEmpty();
    assertThat(side.session.roundTrip()).isZero();
    side.finish();
  }

  @Test
  @DisplayName(
      "A stream that does not read holds memory in proportion to its bytes, not to its frames")
  void memoryInProportionToTheBytes() {
    side.onInbound = stream -> stream.config().setOption(ChannelOption.AUTO_READ, false);
    side.feed(Frame.windowUpdate(Frame.SYN, 1, 0));
    Frame[] tiny = new Frame[1000];
    for (int i = 0; i < tiny.length; i++) {
      tiny[i] = Frame.data(0, 1, 1);
    }
    for (int i = 0; i < 262; i++) {
      side.feed(tiny);
    }
    assertThat(side.alloc.metric().usedHeapMemory()).isLessThan(2 * 262_144);
    side.feed(Frame.data(0, 1, 144));
    side.onlyInbound().read();
    side.runTasks();
    assertThat(side.recorder(side.onlyInbound()).events).contains("read 16384", "complete");
    side.finish();
  }

  @Test
  void otherConnectionsLiveOn() {
    Side other = new Side(false);
    other.feed(Frame.windowUpdate(Frame.SYN, 1, 0));
    side.feed(new byte[] {9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9});
    assertProtocolError("yamux: frame of version 9, only 0 is known");
    other.feed(Frame.data(0, 1, 3));
    assertThat(other.recorder(other.onlyInbound()).bytes()).hasSize(3);
    other.finish();
  }

  private void assertProtocolError(String message) {
    assertThat(side.closedCause)
        .isExactlyInstanceOf(YamuxViolationException.class)
        .hasMessage(message);
    assertThat(side.connection.isOpen()).isFalse();
    List<Frame> sent = side.sent();
    assertThat(sent.get(sent.size() - 1)).hasToString("GOAWAY 0 +1");
    side.finish();
  }
}
