package io.grpcstream.libp2p.mux.yamux;

import io.grpcstream.libp2p.text.DurationText;
import io.grpcstream.libp2p.util.EventLoops;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.Promise;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Whether the other side still lives, and how far away it is. Pings at the start and at every
 * interval measure the round trip that windows grow by. A ping that gets no answer, while no other
 * byte arrives either, ends the session; so does a connection that takes nothing of what we send
 * while it is full. Used on the event loop only, but for {@link #roundTripNanos()}.
 */
final class YamuxKeepAlive {
  private final YamuxConfig config;
  private final ChannelHandlerContext ctx;
  private final EventLoop loop;
  private final FrameSender sender;
  private final LongConsumer onRoundTrip;
  private final Consumer<ConnectionLostException> onDead;

  private volatile long roundTripNanos;
  private int lastPingId;
  private @Nullable Promise<Duration> ping;
  private long pingSentNanos;

  /** Whether any byte has arrived since the ping was sent. */
  private boolean heardSincePing;

  private @Nullable Future<?> pingTimer;
  private @Nullable Future<?> intervalTimer;
  private @Nullable Future<?> stallTimer;
  private long fullSinceNanos;
  private long stalledBytes;

  YamuxKeepAlive(
      YamuxConfig config,
      ChannelHandlerContext ctx,
      FrameSender sender,
      LongConsumer onRoundTrip,
      Consumer<ConnectionLostException> onDead) {
    this.config = config;
    this.ctx = ctx;
    this.loop = ctx.channel().eventLoop();
    this.sender = sender;
    this.onRoundTrip = onRoundTrip;
    this.onDead = onDead;
  }

  void start() {
    if (!config.keepAliveInterval().isZero()) {
      ping();
      long nanos = config.keepAliveInterval().toNanos();
      intervalTimer = loop.scheduleAtFixedRate(this::ping, nanos, nanos, TimeUnit.NANOSECONDS);
    }
  }

  void stop(YamuxException cause) {
    for (Future<?> timer : new Future<?>[] {pingTimer, intervalTimer, stallTimer}) {
      if (timer != null) {
        timer.cancel(false);
      }
    }
    finishPing(cause, 0);
  }

  /** The smoothed round trip, zero before the first answer. Any thread. */
  long roundTripNanos() {
    return roundTripNanos;
  }

  /** Bytes have arrived. */
  void onRead() {
    heardSincePing = true;
  }

  /** Sends a ping, or joins the one that is under way. */
  Future<Duration> ping() {
    EventLoops.assertOn(loop);
    if (ping == null) {
      ping = loop.newPromise();
      pingSentNanos = now();
      heardSincePing = false;
      sender.control(YamuxHeader.PING, YamuxHeader.SYN, 0, ++lastPingId);
      long nanos = config.keepAliveTimeout().toNanos();
      pingTimer = loop.schedule(this::pingTimedOut, nanos, TimeUnit.NANOSECONDS);
    }
    return ping;
  }

  /** An answer has come; one that nobody asked for changes nothing. */
  void onPong(int pingId) {
    if (ping != null && pingId == lastPingId) {
      long measured = Math.max(1, now() - pingSentNanos);
      long before = roundTripNanos;
      roundTripNanos = before == 0 ? measured : before / 2 + measured / 2;
      onRoundTrip.accept(measured);
      finishPing(null, measured);
    }
  }

  private void pingTimedOut() {
    String why = "yamux: no answer to a ping within " + DurationText.of(config.keepAliveTimeout());
    finishPing(new YamuxException(why), 0);
    if (!heardSincePing) {
      onDead.accept(new UnresponsivePeerException(why));
    }
  }

  private void finishPing(@Nullable YamuxException failure, long nanos) {
    Promise<Duration> done = ping;
    if (done == null) {
      return;
    }
    ping = null;
    if (pingTimer != null) {
      pingTimer.cancel(false);
      pingTimer = null;
    }
    if (failure == null) {
      done.trySuccess(Duration.ofNanos(nanos));
    } else {
      done.tryFailure(failure);
    }
  }

  /**
   * The connection has become writable, or full. This may happen for every few frames, so the timer
   * is left alone and looks for itself what has become of the connection.
   */
  void onWritabilityChanged() {
    if (!ctx.channel().isWritable() && ctx.channel().isActive()) {
      fullSinceNanos = now();
      stalledBytes = unwritten();
      if (stallTimer == null) {
        scheduleStallCheck(config.writeTimeout().toNanos());
      }
    }
  }

  private void scheduleStallCheck(long nanos) {
    stallTimer = loop.schedule(this::checkStall, nanos, TimeUnit.NANOSECONDS);
  }

  private void checkStall() {
    stallTimer = null;
    if (ctx.channel().isWritable()) {
      return;
    }
    if (unwritten() < stalledBytes) {
      onWritabilityChanged();
      return;
    }
    long left = config.writeTimeout().toNanos() - (now() - fullSinceNanos);
    if (left > 0) {
      scheduleStallCheck(left);
    } else {
      onDead.accept(
          new UnresponsivePeerException(
              "yamux: the connection took none of what was sent within "
                  + DurationText.of(config.writeTimeout())));
    }
  }

  /** While the connection is full only control frames are added, so a drop here is progress. */
  private long unwritten() {
    return ctx.channel().bytesBeforeWritable() - sender.controlBytes();
  }

  private long now() {
    return loop.ticker().nanoTime();
  }
}
