package io.grpcstream.libp2p.mux.yamux;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.ChannelOutputShutdownEvent;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;
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
  /** Indices of the user-defined writability of {@link ChannelOutboundBuffer}. */
  private static final int HAS_WINDOW = 1;

  private static final int NOT_SHUT_DOWN = 2;

  private final YamuxStreamChannel channel;
  private final YamuxSession session;
  private final int streamId;
  private final SendWindow window = new SendWindow();
  private final List<ChannelPromise> finPromises = new ArrayList<>(1);

  /** No frame of this side has left: the first one carries SYN or ACK. */
  private boolean unannounced = true;

  private volatile boolean finRequested;
  private boolean finSent;

  /** Bytes that were sent, and bytes of credit that came beyond the initial window. */
  private long sentBytes;

  private long creditBytes;

  /** Bytes at the head of the outbound buffer that the connection has taken over. */
  private int handedOver;

  StreamOutput(YamuxStreamChannel channel, YamuxSession session, int streamId) {
    this.channel = channel;
    this.session = session;
    this.streamId = streamId;
  }

  private @Nullable ChannelOutboundBuffer buffer() {
    return channel.unsafe().outboundBuffer();
  }

  boolean isUnannounced() {
    return unannounced;
  }

  /** Whether the user has ended the output. Any thread. */
  boolean isShutdown() {
    return finRequested;
  }

  boolean hasSentFin() {
    return finSent;
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
    completeHandedOver();
    if (hasDataToSend()) {
      session.flushed(channel);
    }
  }

  /** Sends one data frame of what is flushed; returns its payload bytes. */
  int sendFrame(ChannelHandlerContext ctx, FrameGatherer gatherer) {
    completeHandedOver();
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
      channel.progressed();
      if (window.available() == 0) {
        out.setUserDefinedWritability(HAS_WINDOW, false);
      }
      handedOver = bytes;
      gatherer.write(ctx, flags, streamId);
    }
    completeHandedOver();
    sendFinIfDue();
    return bytes;
  }

  /**
   * Takes what the connection has taken over out of the outbound buffer, and completes its writes;
   * empty writes that come next are complete as well. The listeners may do anything, also close the
   * channel, which comes back here first: so each step leaves the books in order.
   */
  void completeHandedOver() {
    ChannelOutboundBuffer out = buffer();
    while (out != null && out.current() instanceof ByteBuf head) {
      int readable = head.readableBytes();
      if (readable > handedOver) {
        int part = handedOver;
        handedOver = 0;
        if (part > 0) {
          head.skipBytes(part);
          out.progress(part);
        }
        return;
      }
      handedOver -= readable;
      out.progress(readable);
      out.remove();
      out = buffer();
    }
  }

  /** The other side gives credit; false if the window would overflow. */
  boolean receiveCredit(long bytes) {
    boolean wasEmpty = window.available() == 0;
    if (!window.grant(bytes)) {
      return false;
    }
    creditBytes += bytes;
    channel.progressed();
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
    if (channel.isOpen() && unannounced) {
      sendCredit(0);
    }
  }

  /** SYN or ACK for the first frame of this stream, nothing for the others. */
  private int takeAnnouncement() {
    if (!unannounced) {
      return 0;
    }
    unannounced = false;
    session.announced(channel);
    return channel.isInitiator() ? YamuxHeader.SYN : YamuxHeader.ACK;
  }

  /** FIN after all that was written. */
  void shutdown(ChannelPromise promise) {
    ChannelOutboundBuffer out = buffer();
    if (out == null) {
      promise.tryFailure(new ClosedChannelException());
      return;
    }
    if (finSent) {
      promise.trySuccess();
      return;
    }
    finPromises.add(promise);
    if (!finRequested) {
      finRequested = true;
      out.setUserDefinedWritability(NOT_SHUT_DOWN, false);
      channel.unsafe().flush();
      sendFinIfDue();
    }
  }

  private void sendFinIfDue() {
    ChannelOutboundBuffer out = buffer();
    if (finRequested && !finSent && out != null && out.isEmpty()) {
      sendFin();
      finHandedOver();
    }
  }

  /** Sends FIN, behind SYN or ACK if that is still due. */
  void sendFin() {
    if (unannounced) {
      sendCredit(0);
    }
    finSent = true;
    session.sendWindowUpdate(streamId, YamuxHeader.FIN, 0);
  }

  private void finHandedOver() {
    List<ChannelPromise> promises = List.copyOf(finPromises);
    finPromises.clear();
    promises.forEach(ChannelPromise::trySuccess);
    channel.pipeline().fireUserEventTriggered(ChannelOutputShutdownEvent.INSTANCE);
    channel.closeIfFinished();
  }

  /** Sends what can be sent now; true if something is left that cannot. */
  boolean leavesPending() {
    session.sendNow(channel);
    completeHandedOver();
    ChannelOutboundBuffer out = buffer();
    if (out == null) {
      return false;
    }
    out.addFlush();
    completeHandedOver();
    return !out.isEmpty();
  }

  /**
   * Fails every flushed write that the connection has not taken, but none that is flushed
   * meanwhile: failing writes makes the channel writable, so a handler that writes whenever it can
   * would keep us here for ever. Its late writes fail when the channel is closed.
   */
  void fail(Throwable cause) {
    completeHandedOver();
    ChannelOutboundBuffer out = buffer();
    for (int left = out == null ? 0 : out.size(); left > 0 && out != null; left--) {
      out.remove(cause);
      out = buffer();
    }
  }

  /** The channel is closed: a FIN that was asked for will not be sent as asked. */
  void close() {
    List<ChannelPromise> promises = List.copyOf(finPromises);
    finPromises.clear();
    promises.forEach(promise -> promise.tryFailure(new ClosedChannelException()));
  }
}
