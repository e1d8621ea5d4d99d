package io.grpcstream.libp2p.mux.yamux;

import io.grpcstream.libp2p.mux.AbstractStreamChannel;
import io.grpcstream.libp2p.mux.StreamState;
import io.grpcstream.libp2p.text.DurationText;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.Promise;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One yamux stream. What it does as a channel is told in {@link AbstractStreamChannel}; of yamux it
 * has this:
 *
 * <ul>
 *   <li><b>Reading</b>: what is not read waits, at most one receive window of it, and its credit is
 *       not given back to the sender.
 *   <li><b>Writing</b>: the channel is unwritable while the other side gives no credit, and while
 *       more is pending than the high water mark.
 *   <li>FIN ends a direction, RST both. When the other side resets the stream, the pipeline gets a
 *       {@link StreamResetException}, and a {@link ConnectionLostException} when the connection
 *       ends.
 * </ul>
 */
public final class YamuxStreamChannel extends AbstractStreamChannel {
  private static final Logger log = LoggerFactory.getLogger(YamuxStreamChannel.class);

  private final YamuxSession session;
  private final int streamId;
  private final boolean initiator;
  private final YamuxStreamInput input;
  private final StreamOutput output;
  private final Promise<Void> finished;
  private final CloseTimer closeTimer;

  /** Whether the sender's round robin knows the stream; changed by it alone. */
  boolean queuedToSend;

  /**
   * Whether the stream is among those with {@link PendingReads} from this buffer; changed there.
   */
  boolean arrivalNoted;

  /** Whether the stream is among those whose reads are not complete; changed there. */
  boolean batchNoted;

  /** Whether the stream has ended and its id is forgotten; changed by the session alone. */
  boolean removed;

  private boolean registering;

  YamuxStreamChannel(YamuxSession session, Channel parent, int streamId, boolean initiator) {
    super(parent);
    this.session = session;
    this.streamId = streamId;
    this.initiator = initiator;
    input = new YamuxStreamInput(this, session);
    output = new StreamOutput(this, session, streamId, handedOver());
    closeTimer = new CloseTimer(session, this);
    finished = parent.eventLoop().newPromise();
  }

  // ---- What users see

  /** The stream's number in the session: odd if the dialler opened it. */
  public long streamId() {
    return Integer.toUnsignedLong(streamId);
  }

  /** Whether this side opened the stream. */
  public boolean isInitiator() {
    return initiator;
  }

  /**
   * Completes on the event loop once both sides have ended the stream, or one has reset it. A
   * closed channel may be ahead of that: what it wrote may still be on its way until the other
   * side's FIN comes, for at most {@code closeTimeout}.
   */
  @Override
  public Future<Void> finished() {
    return finished;
  }

  /**
   * From now on the other side has to take what was written: 16 KiB in each {@code closeTimeout},
   * or the stream is reset. To be called when a close begins that shall send everything: the other
   * side cannot keep a stream that nobody wants any more by reading nothing.
   */
  @Override
  public void expectEnd() {
    onEventLoop(
        () -> {
          if (isOpen()) {
            expectProgress(this::onPeerReadsNothing);
          }
        });
  }

  private void onPeerReadsNothing() {
    String why =
        "%s was reset: closing, it waited for the peer to read, which took no %,d bytes in %s"
            .formatted(
                name(), CloseTimer.MIN_PROGRESS, DurationText.of(session.config().closeTimeout()));
    log.debug("{}", why);
    abort(new StreamResetException(why, false), false);
  }

  // ---- What the session sees

  @Override
  protected YamuxStreamInput input() {
    return input;
  }

  StreamOutput output() {
    return output;
  }

  CloseTimer closeTimer() {
    return closeTimer;
  }

  /** Registers with the connection's event loop, without the read that activation would issue. */
  void registerWith(EventLoop loop) {
    registering = true;
    loop.register(this);
    registering = false;
  }

  /** The handlers stand: issue the read that activation would have issued. */
  void startReading() {
    if (isOpen() && config().isAutoRead() && !input.isReadPending()) {
      read();
    }
  }

  /** The session has forgotten the stream. */
  void finish() {
    closeTimer.cancel();
    finished.trySuccess(null);
  }

  boolean isRemoteEnded() {
    return state().isRemoteEnded();
  }

  /** FIN has come. */
  void receiveFin() {
    remoteEnded();
    forgetIfClosed();
  }

  private void forgetIfClosed() {
    if (!isOpen() && state() == StreamState.CLOSED) {
      session.remove(this);
    }
  }

  /** RST has come: the stream is over, and what was not yet delivered is lost. */
  void receiveReset() {
    session.remove(this);
    end(new StreamResetException(name() + " was reset by the other side", true));
  }

  /** Ends the stream for a cause that its pending writes and the pipeline get to see. */
  void end(YamuxException cause) {
    abort(cause, true);
  }

  /** See {@link #endOutputIfDue()}. */
  void dataSent() {
    endOutputIfDue();
  }

  // ---- What the channel does by way of yamux

  @Override
  protected String name() {
    return "yamux: stream " + streamId();
  }

  @Override
  protected IOException localReset() {
    return new StreamResetException(name() + " was reset locally", false);
  }

  @Override
  protected void doBeginRead() {
    if (!registering) {
      super.doBeginRead();
    }
  }

  @Override
  protected void doWrite(ChannelOutboundBuffer out) {
    if (state() != StreamState.RESET) {
      output.flushed();
    }
  }

  @Override
  protected void expectProgress(Runnable otherwise) {
    if (!closeTimer.isRunning()) {
      closeTimer.start(otherwise);
    }
  }

  @Override
  protected void flushBeforeClose() {
    session.sendNow(this);
  }

  @Override
  protected void sendEnd() {
    output.sendFin();
  }

  @Override
  protected void onClosed() {
    closeTimer.cancel();
    if (isUnknownToPeer()) {
      session.remove(this);
    }
    if (removed) {
      return;
    }
    endOutputOfClosed();
    forgetIfClosed();
    if (!removed) {
      closeTimer.start(this::resetClosed);
    }
  }

  @Override
  protected void resetNow() {
    closeTimer.cancel();
    if (isUnknownToPeer()) {
      session.remove(this);
    } else if (state() == StreamState.RESET) {
      session.reset(this);
    }
  }

  private boolean isUnknownToPeer() {
    return output.opening() == StreamOpening.IDLE;
  }
}
