package io.grpcstream.libp2p.mux.yamux;

import io.grpcstream.libp2p.mux.HandedOverBytes;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The sending half of a stream: from the channel's outbound buffer, within the other side's window,
 * to data frames when the session gives it a turn; and the SYN, ACK and FIN. Used on the event loop
 * only.
 *
 * <p>SYN and ACK ride on the first frame there is. FIN has a frame of its own, behind the data and
 * behind SYN or ACK, though the specification lets it ride as well: jvm-libp2p drops the payload of
 * a frame with FIN, and closes the connection when a frame has FIN beside another flag. RST always
 * travels alone.
 */
final class StreamOutput {
  /** An index of the user-defined writability of {@link ChannelOutboundBuffer}. */
  private static final int HAS_WINDOW = 1;

  private final YamuxStreamChannel channel;
  private final YamuxSession session;
  private final int streamId;
  private final SendWindow window = new SendWindow();
  private final HandedOverBytes handedOver;

  private StreamOpening opening;

  /** Bytes that were sent, and bytes of credit that came beyond the initial window. */
  private long sentBytes;

  private long creditBytes;

  StreamOutput(
      YamuxStreamChannel channel, YamuxSession session, int streamId, HandedOverBytes handedOver) {
    this.channel = channel;
    this.session = session;
    this.streamId = streamId;
    this.handedOver = handedOver;
    opening = channel.isInitiator() ? StreamOpening.IDLE : StreamOpening.SYN_RECEIVED;
  }

  private @Nullable ChannelOutboundBuffer buffer() {
    return channel.unsafe().outboundBuffer();
  }

  StreamOpening opening() {
    return opening;
  }

  /** A frame of the other side has come; true if it is the first since our SYN, and proves that. */
  boolean receiveAck() {
    if (opening != StreamOpening.SYN_SENT) {
      return false;
    }
    opening = opening.acknowledge();
    return true;
  }

  /** Whether the round robin has something to do for this stream. */
  boolean hasDataToSend() {
    ChannelOutboundBuffer out = buffer();
    return channel.isOpen() && out != null && !out.isEmpty() && window.available() > 0;
  }

  /**
   * How far the other side has let us come: grows by each byte that its window took, and by each
   * byte of credit, which it gives for what its user has read, as far as that can be true.
   */
  long progress() {
    return sentBytes + Math.min(creditBytes, sentBytes);
  }

  /** Bytes that were written and not handed over, as Netty counts them: 96 more for each write. */
  long pendingBytes() {
    ChannelOutboundBuffer out = buffer();
    return out == null ? 0 : out.totalPendingWriteBytes();
  }

  /** The user has flushed. */
  void flushed() {
    handedOver.complete();
    if (hasDataToSend()) {
      session.flushed(channel);
    }
  }

  /** Sends one data frame of what is flushed; returns its payload bytes. */
  int sendFrame(ChannelHandlerContext ctx, FrameGatherer gatherer) {
    handedOver.complete();
    ChannelOutboundBuffer out = buffer();
    if (out == null || !hasDataToSend() || gatherer.isBusy()) {
      return 0;
    }
    int limit = (int) Math.min(window.available(), session.config().maxFrameData());
    int bytes = gatherer.gather(out, limit);
    if (bytes > 0) {
      int flags = takeAnnouncement();
      window.consume(bytes);
      sentBytes += bytes;
      channel.closeTimer().progressed();
      if (window.available() == 0) {
        out.setUserDefinedWritability(HAS_WINDOW, false);
      }
      handedOver.add(bytes);
      gatherer.write(ctx, flags, streamId);
    }
    handedOver.complete();
    channel.dataSent();
    return bytes;
  }

  /** The other side gives credit; false if the window would overflow. */
  boolean receiveCredit(long bytes) {
    boolean wasEmpty = window.available() == 0;
    if (!window.grant(bytes)) {
      return false;
    }
    creditBytes += bytes;
    channel.closeTimer().progressed();
    ChannelOutboundBuffer out = buffer();
    if (wasEmpty && bytes > 0 && out != null) {
      out.setUserDefinedWritability(HAS_WINDOW, true);
      if (hasDataToSend()) {
        session.readyToSend(channel);
      }
    }
    return true;
  }

  /** Gives credit to the other side. */
  void sendCredit(int bytes) {
    session.sendWindowUpdate(streamId, takeAnnouncement(), bytes);
  }

  /** Sends SYN or ACK in a frame of their own, if no frame has carried them. */
  void sendAnnouncement() {
    if (channel.isOpen() && opening.isUnannounced()) {
      sendCredit(0);
    }
  }

  /** SYN or ACK for the first frame of this stream, nothing for the others. */
  private int takeAnnouncement() {
    if (!opening.isUnannounced()) {
      return 0;
    }
    opening = opening.announce();
    session.announced(channel);
    return channel.isInitiator() ? YamuxHeader.SYN : YamuxHeader.ACK;
  }

  /** Sends FIN, behind SYN or ACK if that is still due. */
  void sendFin() {
    if (opening.isUnannounced()) {
      sendCredit(0);
    }
    session.sendWindowUpdate(streamId, YamuxHeader.FIN, 0);
  }
}
