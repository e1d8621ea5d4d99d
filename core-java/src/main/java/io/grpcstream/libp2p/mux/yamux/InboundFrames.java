package io.grpcstream.libp2p.mux.yamux;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * Judges every frame that comes in: acts on it, ignores it, or ends the session with a {@link
 * YamuxException}. Used on the event loop only.
 *
 * <p><b>Ids.</b> One that was never opened may only be closed (rust-yamux does that to a stream
 * that it opened and dropped unused). One that has ended is ignored as long as the peer sends no
 * more than the windows that ended streams had left. One that is opened twice ends the session.
 *
 * <p><b>Limits.</b> A stream past {@code maxInboundStreams}, or past the ACK backlog, is reset, and
 * a ping is answered; both within a budget, past which the session ends. A data frame is checked
 * against the window at its header, before its stream exists or a byte of it is kept.
 */
final class InboundFrames implements FrameReader.Sink {
  /** Ping answers that the connection has not yet taken; more mean a peer that does not read. */
  private static final int MAX_UNSENT_PONGS = 64;

  /**
   * Control frames that the connection has not yet taken: 4 for each stream, one for each {@link
   * ReceiveWindow#MAX_OWED} of growth, and these. Until the peer reads again, each stream owes at
   * most its ACK, an update for each half of its window or each MAX_OWED, its FIN and its RST; more
   * of them mean a peer that makes us answer and does not read.
   */
  private static final int MIN_UNSENT_CONTROLS = 4096;

  private final YamuxSession session;
  private final YamuxConfig config;
  private final StreamTable streams;
  private final StreamOpener opener;
  private final StreamAcceptor acceptor;
  private final FrameSender sender;
  private final YamuxKeepAlive keepAlive;
  private final InboundStreamIds ids;
  private final int maxUnsentControls;
  private final RateBudget pings;
  private final RateBudget resets;
  private int unsentPongs;

  /** The stream of the data frame that is being read; null if its payload is not wanted. */
  private @Nullable YamuxStreamChannel current;

  private boolean currentEnds;

  InboundFrames(
      YamuxSession session,
      boolean initiator,
      StreamTable streams,
      StreamOpener opener,
      StreamAcceptor acceptor,
      FrameSender sender,
      YamuxKeepAlive keepAlive) {
    this.session = session;
    this.config = session.config();
    this.streams = streams;
    this.opener = opener;
    this.acceptor = acceptor;
    this.sender = sender;
    this.keepAlive = keepAlive;
    ids = new InboundStreamIds(!initiator);
    maxUnsentControls =
        MIN_UNSENT_CONTROLS
            + (int)
                Math.min(
                    Integer.MAX_VALUE / 2,
                    4L * (config.maxInboundStreams() + (long) config.maxOutboundStreams())
                        + config.maxConnectionWindow() / ReceiveWindow.MAX_OWED);
    pings = new RateBudget(64, 16, session.now());
    resets = new RateBudget(Math.max(1024, 2 * config.maxInboundStreams()), 128, session.now());
  }

  @Override
  public void onHeader(int type, int flags, int streamId, long length) throws YamuxException {
    if (sender.unsentControls() > maxUnsentControls) {
      throw new YamuxViolationException(
          "yamux: more than " + maxUnsentControls + " control frames that the peer did not read");
    }
    if (type == YamuxHeader.DATA || type == YamuxHeader.WINDOW_UPDATE) {
      onStreamFrame(type, flags, streamId, length);
    } else if (streamId != 0) {
      throw new YamuxViolationException(
          "yamux: ping or GOAWAY on stream " + Integer.toUnsignedLong(streamId) + ", not 0");
    } else if (type == YamuxHeader.PING) {
      onPing(flags, (int) length);
    } else {
      session.receiveGoAway(GoAwayCode.of(length));
    }
  }

  private void onStreamFrame(int type, int flags, int streamId, long length) throws YamuxException {
    long id = Integer.toUnsignedLong(streamId);
    long dataBytes = type == YamuxHeader.DATA ? length : 0;
    current = null;
    currentEnds = false;
    if ((flags & YamuxHeader.SYN) != 0) {
      onSyn(id, flags, dataBytes);
    }
    YamuxStreamChannel stream = streams.get(streamId);
    if (stream == null) {
      onFrameWithoutStream(id, type, flags, dataBytes);
      return;
    }
    if (dataBytes > stream.input().window().credit()) {
      throw windowExceeded(id, dataBytes, stream.input().window().credit());
    }
    // Any frame of the other side proves that it has the stream, with or without the ACK flag.
    session.acknowledge(stream);
    if ((flags & YamuxHeader.RST) != 0) {
      onReset(stream);
      streams.takeCreditOfEndedStreams(dataBytes);
    } else if (dataBytes > 0 && stream.isRemoteEnded()) {
      stream.end(new StreamResetException("yamux: stream " + id + " got data after FIN", false));
      streams.takeCreditOfEndedStreams(dataBytes);
    } else if (type == YamuxHeader.DATA) {
      current = stream;
      currentEnds = (flags & YamuxHeader.FIN) != 0;
    } else {
      onWindowUpdate(stream, flags, length);
    }
  }

  private void onSyn(long id, int flags, long dataBytes) throws YamuxException {
    if (!ids.belongs(id)) {
      throw new YamuxViolationException(
          "yamux: stream " + id + " opened with an id of the wrong side");
    }
    if (ids.used(id)) {
      throw new YamuxViolationException("yamux: stream " + id + " opened twice");
    }
    if (dataBytes > YamuxConfig.INITIAL_WINDOW) {
      throw windowExceeded(id, dataBytes, YamuxConfig.INITIAL_WINDOW);
    }
    ids.use(id);
    if ((flags & YamuxHeader.RST) != 0) {
      streams.refused();
    } else if (acceptor.accepts()) {
      if (!acceptor.accept((int) id)) {
        countReset("SYNs of streams that were refused");
      }
    } else {
      acceptor.refused(id);
      countReset(
          "SYNs past the limits of "
              + config.maxInboundStreams()
              + " streams and "
              + config.ackBacklog()
              + " unacknowledged ones");
      streams.refused();
      sender.control(YamuxHeader.WINDOW_UPDATE, YamuxHeader.RST, (int) id, 0);
    }
  }

  private void onFrameWithoutStream(long id, int type, int flags, long dataBytes)
      throws YamuxException {
    if (opener.hasOpened(id) || (ids.belongs(id) && ids.used(id))) {
      if (!streams.takeCreditOfEndedStreams(dataBytes)) {
        throw new YamuxViolationException(
            "yamux: data for ended streams, such as " + id + ", past all the windows they had");
      }
    } else if (dataBytes == 0 && (flags & (YamuxHeader.FIN | YamuxHeader.RST)) != 0) {
      countReset("frames that end streams which were never opened");
    } else {
      throw new YamuxViolationException(
          "yamux: "
              + (type == YamuxHeader.DATA ? dataBytes + " bytes of data" : "a window update")
              + " for stream "
              + id
              + ", which was never opened");
    }
  }

  private void onWindowUpdate(YamuxStreamChannel stream, int flags, long credit)
      throws YamuxException {
    if (!stream.output().receiveCredit(credit)) {
      throw new YamuxViolationException(
          "yamux: a window update of "
              + credit
              + " bytes overflows the send window of stream "
              + stream.streamId());
    }
    if ((flags & YamuxHeader.FIN) != 0) {
      onFin(stream);
    }
  }

  @Override
  public void onPayload(ByteBuf in, int bytes) {
    if (current == null || current.removed) {
      in.skipBytes(bytes);
    } else {
      current.input().receive(in, bytes);
      session.noteArrival(current);
    }
  }

  @Override
  public void onDataEnd() {
    if (currentEnds && current != null && !current.removed) {
      onFin(current);
    }
    current = null;
  }

  private void onFin(YamuxStreamChannel stream) {
    stream.receiveFin();
    session.noteArrival(stream);
  }

  private void onReset(YamuxStreamChannel stream) throws YamuxException {
    if (!stream.isInitiator()) {
      countReset("streams opened and reset by the peer");
    }
    stream.receiveReset();
  }

  private void countReset(String what) throws YamuxException {
    if (!resets.take(session.now())) {
      throw new YamuxViolationException("yamux: too many " + what + ", allowed are " + resets);
    }
  }

  private void onPing(int flags, int value) throws YamuxException {
    if ((flags & YamuxHeader.ACK) != 0) {
      keepAlive.onPong(value);
    } else if ((flags & YamuxHeader.SYN) == 0) {
      throw new YamuxViolationException("yamux: a ping that neither asks nor answers");
    } else if (!pings.take(session.now())) {
      throw new YamuxViolationException("yamux: too many pings, allowed are " + pings);
    } else if (++unsentPongs > MAX_UNSENT_PONGS) {
      throw new YamuxViolationException(
          "yamux: " + MAX_UNSENT_PONGS + " ping answers that the peer did not read");
    } else {
      sender
          .control(YamuxHeader.PING, YamuxHeader.ACK, 0, value)
          .addListener(sent -> unsentPongs--);
    }
  }

  private static YamuxException windowExceeded(long id, long bytes, int window) {
    return new YamuxViolationException(
        String.format("yamux: a %,d-byte frame on stream %d, window %,d", bytes, id, window));
  }
}
