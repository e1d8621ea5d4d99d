package io.grpcstream.libp2p.mux.yamux;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.mux.StreamChannelConfig;
import io.netty.channel.ChannelOption;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.Promise;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Opening streams: limits, the ACK backlog, and what ends it. */
class OpenStreamTest {
  @Test
  void pastTheAckBacklogOpeningWaitsForAnAck() {
    Side side = new Side(true, Side.QUIET.toBuilder().ackBacklog(2).build());
    side.open();
    side.open();
    Future<YamuxStreamChannel> third = side.session.openStream();
    Future<YamuxStreamChannel> fourth = side.session.openStream();
    Future<YamuxStreamChannel> fifth = side.session.openStream();
    assertThat(third.isDone()).isFalse();
    assertThat(side.sentText()).containsExactly("WINDOW[SYN] 1 +0", "WINDOW[SYN] 3 +0");
    side.feed(Frame.windowUpdate(Frame.ACK, 1, 0), Frame.windowUpdate(Frame.ACK, 1, 0));
    assertThat(third.getNow().streamId()).isEqualTo(5);
    assertThat(fourth.isDone()).isFalse();
    fourth.cancel(false);
    side.feed(Frame.windowUpdate(Frame.RST, 3, 0));
    assertThat(fifth.getNow().streamId()).isEqualTo(7);
    side.finish();
  }

  @Test
  void pastTheLimitOpeningFails() {
    Side side = new Side(true, Side.QUIET.toBuilder().maxOutboundStreams(2).build());
    YamuxStreamChannel first = side.open();
    side.open();
    assertThat(side.session.openStream().cause())
        .isInstanceOf(StreamLimitException.class)
        .hasMessage("yamux: 2 outbound streams open and 0 waiting, limit 2");
    side.runTasks();
    first.reset();
    assertThat(side.session.openStream().isSuccess()).isTrue();
    side.finish();
  }

  @Test
  void whatWaitsForTheBacklogCountsToo() {
    Side side = new Side(true, Side.QUIET.toBuilder().ackBacklog(1).maxOutboundStreams(3).build());
    side.open();
    Future<YamuxStreamChannel> second = side.session.openStream();
    side.session.openStream();
    assertThat(side.session.openStream().cause())
        .hasMessage("yamux: 1 outbound streams open and 2 waiting, limit 3");
    second.cancel(false);
    assertThat(side.session.openStream().isDone()).isFalse();
    side.finish();
  }

  @Test
  void afterThePeersGoAwayOpeningFailsAndStreamsGoOn() {
    Side side = new Side(true, Side.QUIET.toBuilder().ackBacklog(1).build());
    YamuxStreamChannel stream = side.open();
    Future<YamuxStreamChannel> waiting = side.session.openStream();
    side.feed(Frame.goAway(0));
    assertThat(side.goAways).containsExactly(GoAwayCode.NORMAL);
    assertThat(waiting.cause()).isInstanceOf(GoAwayException.class);
    assertThat(side.session.openStream().cause())
        .isInstanceOf(GoAwayException.class)
        .hasMessage("yamux: the other side sent GOAWAY NORMAL");
    side.feed(Frame.data(Frame.ACK, 1, 10));
    assertThat(side.recorder(stream).bytes()).hasSize(10);
    side.connection.close();
    side.runTasks();
    assertThat(side.closedCause).isNull();
    assertThat(side.recorder(stream).exception).isInstanceOf(ConnectionLostException.class);
    side.finish();
  }

  @Test
  void afterOurGoAwayInboundStreamsAreResetAndThoseThatExistGoOn() {
    Side side = new Side(false);
    side.feed(Frame.windowUpdate(Frame.SYN, 1, 0));
    side.session.goAway(GoAwayCode.NORMAL);
    side.sent();
    side.feed(Frame.data(Frame.SYN, 3, 10), Frame.data(0, 1, 10));
    assertThat(side.sentText()).containsExactly("WINDOW[RST] 3 +0");
    assertThat(side.recorder(side.onlyInbound()).bytes()).hasSize(10);
    assertThat(side.session.openStream().cause()).hasMessage("yamux: GOAWAY was sent");
    side.finish();
  }

  @Test
  void aStreamOpenedWhenAWriteCompletesIsAnnouncedToo() {
    Side side = new Side(true);
    YamuxStreamChannel first = side.open();
    side.sent();
    side.turn(() -> first.writeAndFlush(Side.buffer(10)).addListener(written -> side.open()));
    assertThat(side.sentText()).containsExactly("DATA 1 +10", "WINDOW[SYN] 3 +0");
    side.finish();
  }

  @Test
  void eachCodeOfAGoAwayIsHeardOnceHoweverTheyAlternate() {
    Side side = new Side(true);
    side.feed(Frame.goAway(0), Frame.goAway(0), Frame.goAway(2));
    for (int i = 0; i < 100; i++) {
      side.feed(Frame.goAway(0), Frame.goAway(2));
    }
    assertThat(side.goAways).containsExactly(GoAwayCode.NORMAL, GoAwayCode.INTERNAL_ERROR);
    side.finish();
  }

  @Test
  void refusingInboundStreamsSaysNothingToThoseThatExist() {
    Side side = new Side(false);
    side.feed(Frame.windowUpdate(Frame.SYN, 1, 0));
    side.sent();
    side.session.refuseInbound();
    side.feed(Frame.windowUpdate(Frame.SYN, 3, 0), Frame.data(0, 1, 10));
    assertThat(side.sentText()).containsExactly("WINDOW[RST] 3 +0");
    assertThat(side.recorder(side.onlyInbound()).bytes()).hasSize(10);
    assertThat(side.session.openStream().isSuccess()).isTrue();
    side.finish();
  }

  @Test
  void anyFrameOfThePeerAcknowledgesAStream() {
    Side side = new Side(true, Side.QUIET.toBuilder().ackBacklog(1).build());
    side.open();
    side.sent();
    Future<YamuxStreamChannel> waiting = side.session.openStream();
    side.feed(Frame.data(0, 1, 10));
    assertThat(waiting.isSuccess()).isTrue();
    side.finish();
  }

  @Test
  void afterTheEndEverythingFailsClearly() {
    Side side = new Side(true, Side.QUIET.toBuilder().ackBacklog(1).build());
    side.open();
    Future<YamuxStreamChannel> waiting = side.session.openStream();
    Future<Void> closed = side.session.close();
    side.runTasks();
    assertThat(closed.isSuccess()).isTrue();
    for (Future<?> future :
        List.of(
            waiting,
            side.session.openStream(),
            side.session.ping(),
            side.session.goAway(GoAwayCode.NORMAL))) {
      assertThat(future.cause())
          .isInstanceOf(ConnectionLostException.class)
          .hasMessage("yamux: the session is over");
    }
    assertThat(side.sentText()).contains("GOAWAY 0 +0");
    assertThat(side.session.close().isSuccess()).isTrue();
    side.finish();
  }

  @Test
  void whenTheIdsAreUsedUpOpeningFails() {
    Side side = new Side(true);
    StreamOpener opener = new StreamOpener(side.session, new StreamTable(), 0xFFFF_FFFDL);
    List<Promise<YamuxStreamChannel>> promises = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      promises.add(side.connection.eventLoop().newPromise());
      opener.open(promises.get(i));
    }
    assertThat(promises.get(0).getNow().streamId()).isEqualTo(4_294_967_293L);
    assertThat(promises.get(1).getNow().streamId()).isEqualTo(4_294_967_295L);
    assertThat(promises.get(2).cause())
        .hasMessage("yamux: all stream ids of this connection are used up");
    side.finish();
  }

  @Test
  void aSessionThatIsInNoPipelineCannotOpen() {
    YamuxSession session = new YamuxSession(true, Side.QUIET, new Side(true));
    assertThat(session.openStream().cause()).isInstanceOf(IllegalStateException.class);
    assertThat(session.roundTrip()).isZero();
  }

  @Test
  void takingTheSessionOffItsConnectionEndsItsStreams() {
    Side side = new Side(true);
    YamuxStreamChannel stream = side.open();
    side.connection.pipeline().remove(side.session);
    side.runTasks();
    assertThat(stream.isOpen()).isFalse();
    assertThat(side.closedCause).isInstanceOf(ConnectionLostException.class);
    side.finish();
  }

  @Test
  void aThousandStreamsAtOnceOpenInWavesOfTheBacklog() {
    YamuxConfig config =
        Side.QUIET.toBuilder().maxInboundStreams(1000).maxOutboundStreams(1000).build();
    Pair pair = new Pair(config);
    List<Future<YamuxStreamChannel>> opening = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      opening.add(pair.dialer.session.openStream());
    }
    pair.settle();
    assertThat(opening).allMatch(Future::isSuccess);
    assertThat(pair.listener.session.inboundStreams()).isEqualTo(1000);
    for (int i = 0; i < 1000; i++) {
      YamuxStreamChannel stream = opening.get(i).getNow();
      stream.pipeline().addLast(new Recorder());
      stream.writeAndFlush(Side.buffer(i + 1));
      stream.shutdownOutput();
    }
    pair.settle();
    for (YamuxStreamChannel stream : pair.listener.inbound) {
      assertThat(pair.listener.recorder(stream).bytes())
          .isEqualTo(Frame.pattern((int) (stream.streamId() + 1) / 2));
    }
    assertThat(pair.listener.session.inboundStreams()).isZero();
    assertThat(pair.dialer.session.outboundStreams()).isZero();
    pair.finish();
  }

  @Test
  void theConfigurationAcceptsWhatGrpcSets() {
    Side side = new Side(true);
    StreamChannelConfig config = side.open().config();
    assertThat(config.setOption(ChannelOption.SO_KEEPALIVE, true)).isTrue();
    assertThat(config.setOption(ChannelOption.TCP_NODELAY, true)).isTrue();
    assertThat(config.getOption(ChannelOption.ALLOW_HALF_CLOSURE)).isFalse();
    assertThat(config.setOption(ChannelOption.ALLOW_HALF_CLOSURE, true)).isTrue();
    assertThat(config.isAllowHalfClosure()).isTrue();
    assertThat(config.getOptions()).containsEntry(ChannelOption.SO_KEEPALIVE, true);
    assertThat(config.getAllocator()).isSameAs(side.alloc);
    assertThat(new EmbeddedChannel().config().setOption(ChannelOption.SO_KEEPALIVE, true))
        .isFalse();
    side.finish();
  }
}
