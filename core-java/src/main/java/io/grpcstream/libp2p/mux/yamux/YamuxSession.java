package io.grpcstream.libp2p.mux.yamux;

import io.grpcstream.libp2p.mux.Muxer;
import io.grpcstream.libp2p.mux.MuxerListener;
import io.grpcstream.libp2p.mux.ReceiveQueue;
import io.grpcstream.libp2p.util.EventLoops;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.ImmediateEventExecutor;
import io.netty.util.concurrent.Promise;
import io.netty.util.concurrent.PromiseNotifier;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One yamux session: the handler at the end of a secured connection's pipeline that turns its bytes
 * into streams (yamux spec, {@code /yamux/1.0.0}). Methods may be called from any thread once the
 * handler is in a pipeline.
 *
 * <h2>How it works</h2>
 *
 * <b>In.</b> Each buffer of the connection is cut into frames ({@link FrameReader}), and each frame
 * is judged by its header ({@link InboundFrames}). Payload goes to its stream's queue as slices of
 * that buffer. When the buffer is done, every stream that got something delivers what its pipeline
 * has asked to read, copies what must wait into memory of its own ({@link ReceiveQueue}), and gives
 * credit back for what was read ({@link ReceiveWindow}). So no handler of a stream runs while
 * frames are being cut, and a handler that stops reading costs at most its window. When the
 * connection's read is complete, so are the reads of its streams.
 *
 * <p><b>Out.</b> A stream with flushed bytes and window takes turns with the others, one frame
 * each, while the connection is writable; all frames of a turn of the event loop are flushed
 * together ({@link FrameSender}). Completing a write runs code of others, which may write, close or
 * reset anything: so the session's own books are always in order before it.
 *
 * <p><b>End.</b> A violation by the peer ends the session with GOAWAY "protocol error" and a {@link
 * YamuxException} that says what was wrong. However it ends, every stream gets a cause, then
 * becomes inactive; then the connection closes, and {@link MuxerListener#onClosed} is called.
 */
public final class YamuxSession extends ChannelInboundHandlerAdapter implements Muxer {
  private static final Logger log = LoggerFactory.getLogger(YamuxSession.class);

  private final boolean initiator;
  private final YamuxConfig config;
  private final MuxerListener listener;
  private final SessionLife life = new SessionLife();
  private final StreamTable streams = new StreamTable();
  private final ConnectionWindow connectionWindow;
  private final StreamOpener opener;
  private final StreamAcceptor acceptor;
  private final PendingReads arrivals = new PendingReads();

  private volatile boolean heard;

  private ChannelHandlerContext ctx;
  private FrameSender sender;
  private YamuxKeepAlive keepAlive;
  private FrameReader reader;

  /** Set last: whoever sees it sees all of the above. */
  private volatile boolean added;

  /**
   * A session for one connection.
   *
   * @param initiator whether this side dialled the connection
   */
  @SuppressWarnings("NullAway.Init") // The rest is set in handlerAdded.
  public YamuxSession(boolean initiator, YamuxConfig config, MuxerListener listener) {
    this.initiator = initiator;
    this.config = config;
    this.listener = listener;
    connectionWindow = new ConnectionWindow(config.maxConnectionWindow());
    opener = new StreamOpener(this, streams, initiator ? 1 : 2);
    acceptor = new StreamAcceptor(this, streams, listener);
  }

  @Override
  public void start(Channel connection) {
    connection.pipeline().addLast(this);
  }

  // ---- What users call, from any thread

  /**
   * Opens a stream. The future completes on the event loop, with a registered and active channel of
   * which nothing has been read: its listeners add the handlers, and reading starts after them.
   * Where the other side may write first, call this on the event loop: a listener that another
   * thread adds may come too late. The other side learns of the stream with its first flush, at the
   * latest at the end of the turn. While {@code ackBacklog} streams wait for their ACK, opening
   * waits; cancelling gives up the place.
   *
   * <p>Fails with {@link GoAwayException} after a GOAWAY of either side, {@link
   * StreamLimitException} when {@code maxOutboundStreams} are open or waiting, {@link
   * ConnectionLostException} when the session is over, and {@link YamuxException} when the 2^31
   * stream ids are used up.
   */
  @Override
  public Future<YamuxStreamChannel> openStream() {
    return onEventLoop(opener::open);
  }

  /**
   * Resets inbound streams from now on, without a GOAWAY; those that exist go on. The first step of
   * an orderly end, since go-yamux and rust-yamux answer a GOAWAY by cutting the connection: send
   * that when the streams that matter have ended.
   */
  @Override
  public void refuseInbound() {
    life.refuseInbound();
  }

  /**
   * Announces that this side wants no more streams: inbound ones are reset from now on, those that
   * exist go on as far as the other side lets them; see {@link #refuseInbound()}. Completes when
   * the connection has sent the frame.
   */
  public Future<Void> goAway(GoAwayCode code) {
    return onEventLoop(
        promise -> {
          if (life.isClosed()) {
            promise.tryFailure(SessionLife.isOver());
            return;
          }
          life.goAway();
          sender
              .control(YamuxHeader.GO_AWAY, 0, 0, code.value())
              .addListener(new PromiseNotifier<>(promise));
          opener.openWaiting();
        });
  }

  /**
   * Measures the round trip to the other side; joins a ping that is under way. Fails when no answer
   * comes within {@code keepAliveTimeout}, or the session ends.
   */
  public Future<Duration> ping() {
    return onEventLoop(
        promise -> {
          if (life.isClosed()) {
            promise.tryFailure(SessionLife.isOver());
          } else {
            keepAlive.ping().addListener(new PromiseNotifier<>(promise));
          }
        });
  }

  /** The smoothed round trip; zero before the first answer to a ping. */
  @Override
  public Duration roundTrip() {
    return added ? Duration.ofNanos(keepAlive.roundTripNanos()) : Duration.ZERO;
  }

  /** Streams the other side opened and that have not ended on both sides. */
  public int inboundStreams() {
    return streams.inbound();
  }

  /** Streams this side opened and that have not ended on both sides. */
  public int outboundStreams() {
    return streams.outbound();
  }

  /**
   * Ends the session at once: GOAWAY, every stream gets a {@link ConnectionLostException}, and the
   * connection is closed. Completes when it is.
   */
  @Override
  public Future<Void> close() {
    return onEventLoop(
        promise -> {
          end(GoAwayCode.NORMAL, null);
          ctx.channel().closeFuture().addListener(new PromiseNotifier<>(promise));
        });
  }

  /** Whether anything has come from the other side. Any thread. */
  @Override
  public boolean hasHeard() {
    return heard;
  }

  private interface Task<T> {
    void run(Promise<T> promise);
  }

  private <T> Future<T> onEventLoop(Task<T> task) {
    if (!added) {
      return ImmediateEventExecutor.INSTANCE.newFailedFuture(
          new IllegalStateException("yamux: the session is not in a pipeline yet"));
    }
    Promise<T> promise = loop().newPromise();
    if (EventLoops.run(loop(), () -> task.run(promise))) {
      return promise;
    }
    return ImmediateEventExecutor.INSTANCE.newFailedFuture(
        new ConnectionLostException("yamux: the session ended with its event loop", null));
  }

  // ---- What the connection tells us

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    ctx = context;
    sender = new FrameSender(ctx, this::endTurnInTask);
    keepAlive =
        new YamuxKeepAlive(config, ctx, sender, listener::onRoundTrip, cause -> end(null, cause));
    reader =
        new FrameReader(
            new InboundFrames(this, initiator, streams, opener, acceptor, sender, keepAlive));
    added = true;
    if (ctx.channel().isActive()) {
      keepAlive.start();
    }
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    keepAlive.start();
    context.fireChannelActive();
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (!(message instanceof ByteBuf in)) {
      context.fireChannelRead(message);
      return;
    }
    int pinned = ReceiveQueue.pinnedBytes(in);
    try {
      if (!heard) {
        heard = true;
      }
      keepAlive.onRead();
      reader.read(in);
    } catch (YamuxException violation) {
      end(GoAwayCode.PROTOCOL_ERROR, violation);
    } finally {
      in.release();
    }
    if (arrivals.deliver(pinned)) {
      sender.scheduleTurn();
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    endTurn();
    context.fireChannelReadComplete();
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    keepAlive.onWritabilityChanged();
    if (context.channel().isWritable()) {
      sender.scheduleTurn();
    }
    context.fireChannelWritabilityChanged();
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    end(null, life.connectionClosed());
    context.fireChannelInactive();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    end(null, cause);
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext context) {
    end(null, new ConnectionLostException("yamux: the session was taken off its connection", null));
  }

  // ---- Receiving

  /** The stream got payload or FIN from the buffer that is being read. */
  void noteArrival(YamuxStreamChannel stream) {
    arrivals.note(stream);
  }

  /** The end of a turn: reads are complete, and what was written leaves. */
  private void endTurn() {
    arrivals.endReads();
    if (!life.isClosed()) {
      sender.drain();
    }
  }

  /** A failure in a task of the event loop, such as want of memory, would end nothing by itself. */
  private void endTurnInTask() {
    try {
      endTurn();
    } catch (RuntimeException | Error e) {
      end(null, e);
    }
  }

  /** Registers a stream; it is active and reads nothing yet. */
  YamuxStreamChannel newStream(int streamId, boolean ours) {
    EventLoops.assertOn(loop());
    YamuxStreamChannel stream = new YamuxStreamChannel(this, ctx.channel(), streamId, ours);
    streams.add(streamId, stream);
    stream.registerWith(loop());
    sender.announce(stream);
    return stream;
  }

  void acknowledge(YamuxStreamChannel stream) {
    if (stream.output().receiveAck()) {
      streams.outboundAcknowledged();
      opener.openWaiting();
    }
  }

  void receiveGoAway(GoAwayCode code) {
    if (life.receiveGoAway(code)) {
      log.debug("yamux: {} received GOAWAY {}", ctx.channel(), code);
      opener.openWaiting();
      listener.onGoAway(code.name());
    }
  }

  // ---- What streams need

  SessionLife life() {
    return life;
  }

  YamuxConfig config() {
    return config;
  }

  private EventLoop loop() {
    return ctx.channel().eventLoop();
  }

  long now() {
    return loop().ticker().nanoTime();
  }

  ReceiveWindow newReceiveWindow() {
    return new ReceiveWindow(config.maxWindow(), connectionWindow, now());
  }

  int creditDue(ReceiveWindow window, boolean senderEnded) {
    return senderEnded
        ? window.updateAfterEnd(now())
        : window.update(now(), keepAlive.roundTripNanos());
  }

  /** Sends a window update, which carries flags also when it has no credit to give. */
  void sendWindowUpdate(int streamId, int flags, int credit) {
    sender.control(YamuxHeader.WINDOW_UPDATE, flags, streamId, credit);
  }

  void readyToSend(YamuxStreamChannel stream) {
    sender.ready(stream);
  }

  /** The stream's user has flushed. At the session's end, that fails with the stream. */
  void flushed(YamuxStreamChannel stream) {
    EventLoops.assertOn(loop());
    if (!life.isClosed()) {
      sender.flushed(stream);
    }
  }

  void sendNow(YamuxStreamChannel stream) {
    sender.sendNow(stream);
  }

  /** An inbound stream's ACK goes out. */
  void announced(YamuxStreamChannel stream) {
    if (!stream.isInitiator()) {
      streams.inboundAnnounced();
    }
  }

  /** Ends a stream that has not ended: RST. */
  void reset(YamuxStreamChannel stream) {
    if (!stream.removed) {
      sendWindowUpdate((int) stream.streamId(), YamuxHeader.RST, 0);
      remove(stream);
    }
  }

  /** Forgets a stream that has ended on both sides. */
  void remove(YamuxStreamChannel stream) {
    EventLoops.assertOn(loop());
    if (!stream.removed) {
      stream.removed = true;
      streams.remove((int) stream.streamId(), stream);
      stream.input().window().close();
      stream.finish();
      opener.openWaiting();
    }
  }

  // ---- The end

  /**
   * Ends the session, once.
   *
   * @param code what the other side is told, if it can be told anything
   * @param cause null if the end is an orderly one
   */
  private void end(@Nullable GoAwayCode code, @Nullable Throwable cause) {
    EventLoops.assertOn(loop());
    if (!life.close()) {
      return;
    }
    log.debug("yamux: {} ends", ctx.channel(), cause);
    reader.stop();
    if (code != null && ctx.channel().isActive()) {
      sender.control(YamuxHeader.GO_AWAY, 0, 0, code.value());
      sender.flush();
    }
    String why =
        cause == null ? "yamux: the session was closed" : String.valueOf(cause.getMessage());
    ConnectionLostException lost =
        cause instanceof ConnectionLostException already
            ? already
            : new ConnectionLostException(why, cause);
    keepAlive.stop(lost);
    opener.openWaiting();
    for (YamuxStreamChannel stream : streams.all()) {
      remove(stream);
      stream.input().deliverRest();
      stream.end(lost);
    }
    ctx.close();
    listener.onClosed(cause);
  }
}
