package io.grpcstream.libp2p.foreign;

import io.grpcstream.libp2p.mux.AbstractStreamChannel;
import io.grpcstream.libp2p.mux.StreamState;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.util.AttributeKey;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.LongSupplier;
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
final class ForeignStreamChannel extends AbstractStreamChannel {
  /** How many bytes may wait to be read, on each stream: one megabyte. */
  static final int MAX_HELD_BYTES = 1 << 20;

  private static final Logger log = LoggerFactory.getLogger(ForeignStreamChannel.class);

  /**
   * Of no type of ours: another copy of this library, in another class loader, has the same key.
   */
  private static final AttributeKey<Object> ADAPTED =
      AttributeKey.valueOf(ForeignStreamChannel.class, "ADAPTED");

  private final Channel below;
  private final String name;
  private final ForeignStreamInput input = new ForeignStreamInput(this);
  private final UnsentBytes unsent = new UnsentBytes();

  /** The handlers on the channel below stand. */
  private boolean attached;

  private boolean progressExpected;

  private boolean writing;

  private ForeignStreamChannel(Channel below, String name) {
    super(below);
    this.below = below;
    this.name = name;
    config().setAutoRead(false);
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
      ActivationGate.addTo(below, "", false);
      below.pipeline().addLast(new ForeignStreamHandler(channel, channel.input));
    } catch (RejectedExecutionException e) { // The registration has failed, too, and closed it.
      log.debug("{}: its event loop has ended, and the stream with it", name, e);
    }
    below.closeFuture().addListener(closed -> channel.onEventLoop(channel::belowClosed));
    return channel;
  }

  /**
   * The handlers on the channel below stand: what is written there passes them from now on. That
   * may be later than the registration, which has this pipeline's handlers write at once.
   */
  void attached() {
    attached = true;
    writable();
  }

  @Override
  protected String name() {
    return name;
  }

  @Override
  protected ForeignStreamInput input() {
    return input;
  }

  @Override
  protected IOException localReset() {
    return new IOException(name + " was reset on this side");
  }

  /** Resets the stream for a reason that the pipeline and pending writes get to see. */
  void fail(IOException cause) {
    abort(cause, true);
  }

  private void belowClosed() {
    // What waits of a stream that has ended on both sides can still be read.
    if (isOpen() && state() != StreamState.CLOSED) {
      fail(new IOException(name + ": the peer reset it, or its connection was lost"));
    }
  }

  boolean isRemoteEnded() {
    return state().isRemoteEnded();
  }

  /** The other side has ended its half. */
  void receiveEnd() {
    remoteEnded();
    input.endBatch();
  }

  /** Completes when the channel below closes: only it knows when all is sent. */
  @Override
  public Future<Void> finished() {
    return below.closeFuture();
  }

  @Override
  public void expectEnd() {
    onEventLoop(
        () -> {
          if (isOpen()) {
            expectProgress(this::onPeerTakesNothing);
          }
        });
  }

  @Override
  protected void expectProgress(Runnable otherwise) {
    if (!progressExpected) {
      progressExpected = true;
      expectProgress(this, () -> CloseTimeout.pending(this), otherwise);
    }
  }

  private void expectProgress(Channel closing, LongSupplier unsentBytes, Runnable otherwise) {
    try {
      new CloseTimeout(closing, unsentBytes, otherwise);
    } catch (RejectedExecutionException e) {
      log.debug("{}: its event loop has ended, and the stream with it", name, e);
      below.close();
    }
  }

  private void onPeerTakesNothing() {
    String why =
        "%s was reset: closing, it waited for the peer, which took no %,d bytes in %d s, nor ended it"
            .formatted(name, CloseTimeout.MIN_PROGRESS, CloseTimeout.SECONDS);
    log.debug("{}", why);
    abort(new IOException(why), false);
  }

  @Override
  protected void doWrite(ChannelOutboundBuffer out) {
    if (attached && state() != StreamState.RESET) {
      handOver(out);
      endOutputIfDue();
    }
  }

  /** Writes are complete, in order, when the channel below has them. */
  private void handOver(ChannelOutboundBuffer out) {
    if (writing) { // What the channel below does with a write had it say that it takes more.
      return;
    }
    handedOver().complete(); // Empty writes have nothing to wait for.
    while (isOpen() && out.current() instanceof ByteBuf first) {
      if (!below.isWritable()) {
        below.flush();
        if (!below.isWritable()) {
          return; // It tells when it can take more.
        }
        continue; // The flush may have run anything.
      }
      ByteBuf next = WriteBatch.from(out, first, alloc());
      int bytes = next.readableBytes();
      writing = true;
      try {
        below.write(unsent.track(next, alloc())).addListener(this::written);
      } finally {
        writing = false;
      }
      if (isOpen()) { // Else it has refused them.
        handedOver().add(bytes);
        handedOver().complete();
      }
    }
    below.flush();
  }

  /** The channel below can take more. */
  void writable() {
    resumeWrite();
    endOutputIfDue();
  }

  private void written(Future<? super Void> write) {
    Throwable cause = write.cause();
    if (cause != null && isOpen()) {
      fail(
          new IOException(
              name + " was reset: its stack refused what was written: " + cause, cause));
    }
  }

  @Override
  protected boolean mayEndOutput() {
    return attached;
  }

  @Override
  protected void sendEnd() {
    below.flush();
    below.disconnect().addListener(this::written);
  }

  @Override
  protected void flushBeforeClose() {
    ChannelOutboundBuffer out = unsafe().outboundBuffer();
    if (attached && out != null) {
      handOver(out);
    }
  }

  @Override
  protected void onClosed() {
    if (below.isOpen()) {
      endOutputOfClosed();
      expectProgress(below, unsent::bytes, this::onPeerTakesNothing);
    }
  }

  @Override
  protected void resetNow() {
    below.close();
  }
}
