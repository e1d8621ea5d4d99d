package io.grpcstream.libp2p.mux.yamux;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.libp2p.mux.yamux.ModelStep.Who;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Two sessions back to back, and what must hold of them after every step and at the end. Nothing
 * moves by itself: neither time, nor bytes, nor the tasks of an event loop.
 */
final class ModelConnection {
  /** A small backlog of unacknowledged streams, so that opening has to wait. */
  private static final YamuxConfig CONFIG = Side.QUIET.toBuilder().ackBacklog(2).build();

  private final Map<Who, Side> sides = new EnumMap<>(Who.class);
  private final Map<Who, ByteBuf> wires = new EnumMap<>(Who.class);
  private final Map<Who, Map<Long, ModelEnd>> ends = new EnumMap<>(Who.class);
  private final Map<Who, Map<Long, Long>> sentData = new EnumMap<>(Who.class);
  private final Map<Who, Map<Long, Long>> sentCredit = new EnumMap<>(Who.class);
  private final List<ModelEnd> allEnds = new ArrayList<>();
  private final List<Future<YamuxStreamChannel>> opens = new ArrayList<>();
  private final Map<Who, Long> congestedMillis = new EnumMap<>(Who.class);
  private boolean sessionMayEnd;
  private boolean wentAway;

  ModelConnection() {
    for (Who who : Who.values()) {
      Side side = new Side(who == Who.DIALER, CONFIG);
      side.turnsByHand = true;
      side.onInbound = stream -> add(who, stream);
      sides.put(who, side);
      wires.put(who, Unpooled.buffer());
      ends.put(who, new HashMap<>());
      sentData.put(who, new HashMap<>());
      sentCredit.put(who, new HashMap<>());
    }
  }

  /** Measures a round trip, without which windows do not grow. */
  void measure(Duration roundTrip) {
    for (Who who : Who.values()) {
      side(who).session.ping();
      side(who).runTasks();
      collect(who);
    }
    pass(roundTrip.toMillis());
    settle();
    for (Side side : sides.values()) {
      assertThat(side.session.roundTrip()).isEqualTo(roundTrip);
    }
  }

  private Side side(Who who) {
    return sides.get(who);
  }

  private void add(Who who, YamuxStreamChannel stream) {
    ModelEnd end = new ModelEnd(stream);
    assertThat(ends.get(who).put(stream.streamId(), end)).as("an end before %s", end).isNull();
    allEnds.add(end);
  }

  private @Nullable ModelEnd peerOf(Who who, ModelEnd end) {
    return ends.get(who.other()).get(end.stream.streamId());
  }

  // ---- Steps

  void run(ModelStep step) {
    if (step instanceof ModelStep.Open open) {
      open(open.who());
    } else if (step instanceof ModelStep.Do act) {
      if (!allEnds.isEmpty()) {
        allEnds.get(act.end() % allEnds.size()).act(act.act());
      }
    } else if (step instanceof ModelStep.DoWhenRead act) {
      if (!allEnds.isEmpty()) {
        allEnds.get(act.end() % allEnds.size()).actWhenRead(act.act());
      }
    } else if (step instanceof ModelStep.EndTurn turn) {
      side(turn.who()).runTasks();
    } else if (step instanceof ModelStep.Carry carry) {
      carry(carry.from(), carry.bytes());
    } else if (step instanceof ModelStep.Exchange) {
      exchange(false);
    } else if (step instanceof ModelStep.Congest congest) {
      congest(congest.who(), congest.congested());
    } else if (step instanceof ModelStep.Pass pass) {
      pass(pass.millis());
    } else if (step instanceof ModelStep.GoAway goAway) {
      wentAway = true;
      side(goAway.who()).session.goAway(GoAwayCode.NORMAL);
    } else if (step instanceof ModelStep.EndSession end) {
      sessionMayEnd = true;
      side(end.who()).session.close();
    }
    check();
  }

  private void open(Who who) {
    Future<YamuxStreamChannel> opening = side(who).session.openStream();
    opens.add(opening);
    opening.addListener(
        done -> {
          if (done.isSuccess()) {
            add(who, opening.getNow());
          }
        });
  }

  private void congest(Who who, boolean congested) {
    if (!side(who).connection.isOpen()) {
      return;
    }
    if (congested) {
      congestedMillis.putIfAbsent(who, 0L);
      side(who).congest();
    } else {
      congestedMillis.remove(who);
      side(who).relieve();
    }
  }

  private void pass(long millis) {
    congestedMillis.replaceAll((who, before) -> before + millis);
    sessionMayEnd |=
        congestedMillis.values().stream().anyMatch(all -> all >= CONFIG.writeTimeout().toMillis());
    sides.values().forEach(side -> side.advance(Duration.ofMillis(millis)));
  }

  /** What the side has sent goes on the wire, and is counted. */
  private void collect(Who from) {
    byte[] bytes = side(from).sentBytes();
    wires.get(from).writeBytes(bytes);
    for (Frame frame : Frame.parse(bytes)) {
      if (frame.type() == Frame.DATA) {
        sentData.get(from).merge(frame.streamId(), frame.length(), Long::sum);
      } else if (frame.type() == Frame.WINDOW_UPDATE) {
        sentCredit.get(from).merge(frame.streamId(), frame.length(), Long::sum);
      }
    }
  }

  /** False if there was nothing to carry. */
  private boolean carry(Who from, int limit) {
    collect(from);
    ByteBuf wire = wires.get(from);
    Side to = side(from.other());
    byte[] bytes = new byte[Math.min(limit, wire.readableBytes())];
    wire.readBytes(bytes).discardReadBytes();
    if (bytes.length > 0 && to.connection.isOpen()) {
      to.feed(bytes);
    }
    if (!wire.isReadable() && !side(from).connection.isOpen() && to.connection.isOpen()) {
      to.connection.close();
    }
    return bytes.length > 0;
  }

  // ---- What holds

  /** What holds at any time. */
  private void check() {
    for (Who who : Who.values()) {
      Side side = side(who);
      side.connection.checkException();
      assertThat(side.closedCalls == 0 || sessionMayEnd)
          .as("the %s's session goes on, but ended with %s", who, side.closedCause)
          .isTrue();
      collect(who);
      for (ModelEnd end : ends.get(who).values()) {
        checkEnd(end, peerOf(who, end));
      }
      sentData.get(who).forEach((id, bytes) -> checkWindow(who.other(), id, bytes));
    }
  }

  private static void checkEnd(ModelEnd end, @Nullable ModelEnd peer) {
    assertThat(end.faults).as(end.toString()).isEmpty();
    long sent = peer == null ? 0 : peer.written;
    assertThat(end.received).as("%s, sent were %d bytes", end, sent).isLessThanOrEqualTo(sent);
    if (end.sawEnd()) {
      assertThat(end.received).as("%s, sent were %d bytes", end, sent).isEqualTo(sent);
    }
  }

  /** What the other side has sent and this one's handlers have not read is within the window. */
  private void checkWindow(Who who, long streamId, long sentBytes) {
    ModelEnd end = ends.get(who).get(streamId);
    if (end == null) {
      assertThat(sentBytes).isLessThanOrEqualTo(YamuxConfig.INITIAL_WINDOW);
    } else if (end.stream.isOpen()) {
      ReceiveWindow window = end.stream.input().window();
      assertThat(sentBytes - end.received)
          .as("bytes on their way to %s", end)
          .isLessThanOrEqualTo(window.size());
      assertThat(
              YamuxConfig.INITIAL_WINDOW
                  + sentCredit.get(who).getOrDefault(streamId, 0L)
                  - end.received)
          .as("what may come and is not read yet of %s", end)
          .isLessThanOrEqualTo(window.size());
      assertThat(window.credit() + window.buffered())
          .as("credit and unread bytes of %s", end)
          .isBetween(0, window.size());
    }
  }

  /** Lets everything that was written arrive and be read. */
  private void settle() {
    for (Who who : Who.values()) {
      congest(who, false);
    }
    List.copyOf(allEnds).forEach(end -> end.actWhenRead(null));
    exchange(true);
  }

  /** Carries bytes both ways until both sides are silent. */
  private void exchange(boolean flushAndRead) {
    boolean goesOn = true;
    for (int rounds = 0; goesOn; rounds++) {
      assertThat(rounds).as("rounds until both sides are silent").isLessThan(10_000);
      for (ModelEnd end : flushAndRead ? List.copyOf(allEnds) : List.<ModelEnd>of()) {
        end.stream.config().setAutoRead(true);
        end.stream.flush();
      }
      goesOn = false;
      for (Who who : Who.values()) {
        side(who).runTasks();
        check();
        goesOn |= carry(who, Integer.MAX_VALUE);
      }
    }
    check();
  }

  /** What holds once everything has arrived, and when all is over. */
  void finish() {
    settle();
    boolean sessionsLive = sides.values().stream().allMatch(side -> side.closedCalls == 0);
    for (Future<YamuxStreamChannel> opening : opens) {
      assertThat(opening.isDone()).as("opening ends").isTrue();
      assertThat(opening.isSuccess() || wentAway || !sessionsLive)
          .as("opened, or %s", opening.cause())
          .isTrue();
    }
    if (sessionsLive) {
      for (Who who : Who.values()) {
        ends.get(who).values().forEach(end -> checkSettled(end, peerOf(who, end)));
      }
    }
    allEnds.forEach(end -> end.stream.close());
    settle();
    pass(2 * CONFIG.closeTimeout().toMillis());
    settle();
    for (Side side : sides.values()) {
      assertThat(side.session.inboundStreams() + side.session.outboundStreams())
          .as("streams that are left")
          .isZero();
    }
    for (ModelEnd end : allEnds) {
      assertThat(end.writes).as("writes of %s", end).allMatch(Future::isDone);
      assertThat(end.stream.finished().isSuccess()).as("%s is over", end).isTrue();
    }
    sides.values().forEach(Side::finish);
  }

  private static void checkSettled(ModelEnd end, @Nullable ModelEnd peer) {
    if (peer == null) {
      // Refused, or closed before the other side knew of it.
      assertThat(end.stream.isOpen()).as("open, without another end: %s", end).isFalse();
    } else if (peer.reset) {
      assertThat(end.stream.isOpen()).as("%s is open; reset by %s", end, peer).isFalse();
    } else if (end.isGentle() && peer.isGentle()) {
      assertThat(end.failures).as("failures of %s", end).isEmpty();
      assertThat(end.received).as("%s from %s", end, peer).isEqualTo(peer.written);
      assertThat(end.sawEnd()).as("%s from %s", end, peer).isEqualTo(peer.shutdownOutput);
      assertThat(end.stream.isOpen())
          .as("%s is open, with %s", end, peer)
          .isEqualTo(!(end.shutdownOutput && peer.shutdownOutput));
    }
  }
}
