package io.grpcstream.libp2p.foreign;

import io.grpcstream.libp2p.util.EventLoops;
import io.netty.buffer.ByteBuf;
import io.netty.channel.AbstractChannel;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelPipeline;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.ChannelInputShutdownReadComplete;
import io.netty.channel.socket.ChannelOutputShutdownEvent;
import io.netty.channel.socket.ChannelOutputShutdownException;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.AttributeKey;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.channels.AlreadyConnectedException;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A stream of another stack, with the manners of a Netty channel. It stands on the stack's own
 * channel, its {@link #parent()}, and on the same event loop.
 *
 * <p>It is made for channels that tell {@code disconnect} from {@code close}, which are those of
 * jvm-libp2p. What differs there, and what this makes of it:
 *
 * <ul>
 *   <li><b>Reads cannot be paused</b>: bytes arrive whatever {@code autoRead} says, the
 *       configuration being a new object at each call. Here {@code autoRead} works, and is off at
 *       first. What arrives meanwhile waits, up to {@link #MAX_HELD_BYTES}; then the stream is
 *       reset, and the pipeline told why.
 *   <li><b>The end of the input</b> is a user event of the stack. Here it is that of Netty, behind
 *       all bytes.
 *   <li><b>{@code disconnect} ends the output</b>, and the channel is inactive from then on, though
 *       bytes still arrive. Here that is {@link #shutdownOutput()}, and only the end of both
 *       directions makes the channel inactive.
 *   <li><b>{@code close} resets</b>, and drops what was written and waits for credit. Here it ends
 *       the output and leaves the stack to send the rest, as long as the peer takes it, see {@link
 *       CloseTimeout}; {@link #reset()} resets.
 *   <li><b>Each write is a frame</b>. Here what is flushed at once is gathered.
 *   <li><b>The channel is never unwritable</b>, and that cannot be mended from here. If it has
 *       taken more than it can hold, the write fails, and the stream is reset.
 * </ul>
 */
final class ForeignStreamChannel extends AbstractChannel implements DuplexChannel {
  /** How many bytes may wait to be read, on each stream: one megabyte. */
  static final int MAX_HELD_BYTES = 1 << 20;

  private static final Logger log = LoggerFactory.getLogger(ForeignStreamChannel.class);
  private static final ChannelMetadata METADATA = new ChannelMetadata(false, 16);

  /**
   * Of no type of ours: another copy of this library, in another class loader, has the same key.
   */
  private static final AttributeKey<Object> ADAPTED =
      AttributeKey.valueOf(ForeignStreamChannel.class, "ADAPTED");

  private final Channel below;
  private final String name;
  private final ForeignStreamConfig config = new ForeignStreamConfig(this);
  private final ForeignStreamInput input = new ForeignStreamInput(this);
  private final List<ChannelPromise> outputEnds = new ArrayList<>(1);
  private final Unsent unsent = new Unsent();
  private volatile boolean open = true;
  private volatile boolean outputShutdown;

  /** The handlers on the channel below stand. */
  private boolean attached;

  /** The channel below was told that nothing more will be written. */
  private boolean outputEnded;

  /** The stream ends without all of its data having been sent. */
  private boolean abandoned;

  private ForeignStreamChannel(Channel below, String name) {
    super(below);
    this.below = below;
    this.name = name;
  }

  /** Whether {@code channel} is of the kind that needs this. */
  static boolean isNeededFor(Channel channel) {
    return channel.metadata().hasDisconnect();
  }

  /**
   * Takes over {@code below}, which must be registered with its event loop. From now on what
   * arrives there waits here; what is written waits for the channel's activation.
   *
   * @param name the stream's name in messages
   * @throws IllegalStateException if that was done before
   */
  static ForeignStreamChannel on(Channel below, String name) {
    ForeignStreamChannel channel = new ForeignStreamChannel(below, name);
    if (below.attr(ADAPTED).setIfAbsent(channel) != null) {
      throw new IllegalStateException(name + ": a Stream was made of its channel before");
    }
    below.eventLoop().register(channel);
    try {
      HeldUntilActive.addTo(below, "", false);
      below.pipeline().addLast(new ForeignStreamHandler(channel, channel.input));
    } catch (RejectedExecutionException e) { // The registration has failed, too, and closed it.
      log.debug("{}: its event loop has ended, and the stream with it", name, e);
    }
    below.closeFuture().addListener(closed -> channel.onLoop(channel::belowClosed));
    return channel;
  }

  /**
   * The handlers on the channel below stand: what is written there passes them from now on. That
   * may be later than the registration, which has this pipeline's handlers write at once.
   */
  void attached() {
    attached = true;
    resumeWrite();
  }

  /** The stream's name in messages. */
  String name() {
    return name;
  }

  @Override
  public ForeignStreamConfig config() {
    return config;
  }

  @Override
  public ChannelMetadata metadata() {
    return METADATA;
  }

  @Override
  public boolean isOpen() {
    return open;
  }

  /** From the start, also where another thread has still to register it: it is connected. */
  @Override
  public boolean isActive() {
    return open;
  }

  @Override
  public boolean isInputShutdown() {
    return input.isShutdown() || !open;
  }

  @Override
  public boolean isOutputShutdown() {
    return outputShutdown || !open;
  }

  @Override
  public boolean isShutdown() {
    return isInputShutdown() && isOutputShutdown();
  }

  @Override
  public ChannelFuture shutdownInput() {
    return shutdownInput(newPromise());
  }

  @Override
  public ChannelFuture shutdownInput(ChannelPromise promise) {
    onLoop(
        () -> {
          input.shutdown();
          promise.trySuccess();
          closeIfFinished();
        },
        promise);
    return promise;
  }

  @Override
  public ChannelFuture shutdownOutput() {
    return shutdownOutput(newPromise());
  }

  /** Completes when the channel below has taken all that was written, and the end. */
  @Override
  public ChannelFuture shutdownOutput(ChannelPromise promise) {
    onLoop(
        () -> {
          if (!open) {
            promise.tryFailure(new ClosedChannelException());
            return;
          }
          outputShutdown = true;
          outputEnds.add(promise);
          unsafe().flush();
          endOutputIfDue();
        },
        promise);
    return promise;
  }

  @Override
  public ChannelFuture shutdown() {
    return shutdown(newPromise());
  }

  @Override
  public ChannelFuture shutdown(ChannelPromise promise) {
    shutdownInput();
    return shutdownOutput(promise);
  }

  /** Ends the stream at once; the other side sees a reset. Any thread. */
  void reset() {
    onLoop(() -> end(new IOException(name + " was reset on this side"), false));
  }

  /** Resets the stream for a reason that the pipeline and pending writes get to see. */
  void abort(IOException cause) {
    end(cause, true);
  }

  private void end(IOException cause, boolean tell) {
    if (!open) {
      below.close();
      return;
    }
    abandoned = true;
    if (tell) {
      pipeline().fireExceptionCaught(cause);
    }
    ClosedChannelException closed = new ClosedChannelException();
    closed.initCause(cause);
    ((ForeignUnsafe) unsafe()).close(unsafe().voidPromise(), cause, closed);
  }

  /** All that the other side has sent is delivered. */
  void inputEnded() {
    if (config.isAllowHalfClosure()) {
      pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
      pipeline().fireUserEventTriggered(ChannelInputShutdownReadComplete.INSTANCE);
      closeIfFinished();
    } else {
      unsafe().close(unsafe().voidPromise());
    }
  }

  private void closeIfFinished() {
    if (open && input.isFinished() && (outputEnded || !below.isOpen())) {
      unsafe().close(unsafe().voidPromise());
    }
  }

  private void belowClosed() {
    if (!open) {
      return;
    }
    if (input.hasEnded() && outputEnded) {
      closeIfFinished(); // Or once what waits has been read.
    } else {
      abort(new IOException(name + ": the peer reset it, or its connection was lost"));
    }
  }

  void autoReadCleared() {
    if (!isRegistered()) {
      return; // Nothing can have been asked for yet.
    }
    onLoop(
        () -> {
          if (!config.isAutoRead()) {
            input.autoReadCleared();
          }
        });
  }

  @Override
  protected void doBeginRead() {
    input.beginRead();
  }

  @Override
  protected Object filterOutboundMessage(Object message) throws ChannelOutputShutdownException {
    if (outputShutdown) {
      throw new ChannelOutputShutdownException(name + ": output was shut down");
    }
    if (!(message instanceof ByteBuf)) {
      throw new UnsupportedOperationException(
          name + " carries ByteBuf only, not " + message.getClass().getName());
    }
    return message;
  }

  /** Writes are complete, in order, when the channel below has them. */
  @Override
  protected void doWrite(ChannelOutboundBuffer out) {
    if (!attached) {
      return;
    }
    while (open && out.current() instanceof ByteBuf first) {
      if (!below.isWritable()) {
        below.flush();
        if (!below.isWritable()) {
          return; // It tells when it can take more.
        }
      }
      Gathered next = Gathered.from(out, first, alloc());
      below.write(unsent.track(next.bytes(), alloc())).addListener(this::written);
      for (int i = 0; i < next.count() && open; i++) {
        out.remove();
      }
    }
    below.flush();
    endOutputIfDue();
  }

  /** The channel below can take more. */
  void resumeWrite() {
    ((ForeignUnsafe) unsafe()).resumeWrite();
    endOutputIfDue();
  }

  private void written(Future<? super Void> write) {
    Throwable cause = write.cause();
    if (cause != null && open) {
      abort(
          new IOException(
              name + " was reset: its stack refused what was written: " + cause, cause));
    }
  }

  private void endOutputIfDue() {
    ChannelOutboundBuffer out = unsafe().outboundBuffer();
    if (!outputShutdown || !attached || !open || (out != null && !out.isEmpty())) {
      return;
    }
    boolean first = !outputEnded;
    List<ChannelPromise> promises = List.copyOf(outputEnds);
    outputEnds.clear(); // If the input has ended, ending the output closes the channel.
    endOutput();
    promises.forEach(ChannelPromise::trySuccess);
    if (first && open) {
      pipeline().fireUserEventTriggered(ChannelOutputShutdownEvent.INSTANCE);
      closeIfFinished();
    }
  }

  private void endOutput() {
    if (!outputEnded) {
      outputEnded = true;
      below.flush();
      below.disconnect().addListener(this::written);
    }
  }

  @Override
  protected void doClose() {
    open = false;
    outputShutdown = true;
    input.clear();
    if (abandoned) {
      below.close();
    } else if (below.isOpen()) {
      endOutput();
      limitClose();
    }
    List<ChannelPromise> promises = List.copyOf(outputEnds);
    outputEnds.clear();
    promises.forEach(promise -> promise.tryFailure(new ClosedChannelException()));
  }

  private void limitClose() {
    try {
      new CloseTimeout(below, unsent::bytes, this::onPeerTakesNothing);
    } catch (RejectedExecutionException e) {
      log.debug("{}: its event loop has ended, and the stream with it", name, e);
      below.close();
    }
  }

  private void onPeerTakesNothing() {
    log.debug(
        "{}: reset, as the peer took no {} bytes within {} s of its close, nor ended it",
        name,
        CloseTimeout.MIN_PROGRESS,
        CloseTimeout.SECONDS);
    below.close();
  }

  @Override
  protected void doDisconnect() {
    doClose();
  }

  @Override
  protected void doBind(SocketAddress localAddress) {
    throw new UnsupportedOperationException(name + " cannot be bound");
  }

  @Override
  protected boolean isCompatible(EventLoop loop) {
    return loop == below.eventLoop();
  }

  @Override
  protected SocketAddress localAddress0() {
    return below.localAddress();
  }

  @Override
  protected SocketAddress remoteAddress0() {
    return below.remoteAddress();
  }

  @Override
  protected AbstractUnsafe newUnsafe() {
    return new ForeignUnsafe();
  }

  @Override
  protected DefaultChannelPipeline newChannelPipeline() {
    return new DefaultChannelPipeline(this) {
      @Override
      protected void onUnhandledInboundException(Throwable cause) {
        if (cause instanceof IOException) {
          // A peer can cause these at will: they must not fill the log.
          log.debug("{} ended", name, cause);
        } else {
          super.onUnhandledInboundException(cause);
        }
      }
    };
  }

  /** Runs {@code task} on the event loop, unless that has ended, and the stream with it. */
  private void onLoop(Runnable task) {
    onLoop(task, null);
  }

  /** Runs {@code task} on the event loop; if that has ended, {@code promise} fails instead. */
  private void onLoop(Runnable task, @Nullable ChannelPromise promise) {
    if (!EventLoops.run(eventLoop(), task) && promise != null) {
      ClosedChannelException closed = new ClosedChannelException();
      closed.initCause(new RejectedExecutionException(name + ": its event loop has ended"));
      promise.tryFailure(closed);
    }
  }

  private final class ForeignUnsafe extends AbstractUnsafe {
    @Override
    public void connect(SocketAddress remote, SocketAddress local, ChannelPromise promise) {
      safeSetFailure(promise, new AlreadyConnectedException());
    }

    void resumeWrite() {
      flush0();
    }

    /** What was flushed and cannot be sent is lost: the other side must not take it for the end. */
    @Override
    protected void close(
        ChannelPromise promise, Throwable cause, ClosedChannelException closeCause) {
      ChannelOutboundBuffer out = outboundBuffer();
      if (open && out != null && !out.isEmpty()) {
        abandoned = true;
      }
      super.close(promise, cause, closeCause);
    }
  }
}
