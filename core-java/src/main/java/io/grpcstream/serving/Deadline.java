package io.grpcstream.serving;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.util.EventLoops;
import io.netty.channel.ChannelFutureListener;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A time limit on the event loop of a stream, of use once. It ends with the stream. What stops it
 * may come before what starts it: then it never runs. Thread-safe.
 */
public final class Deadline {
  private final Stream stream;
  private final Duration timeout;
  private final Runnable expired;
  private final ChannelFutureListener streamEnded = closed -> stop();

  @GuardedBy("this")
  private @Nullable ScheduledFuture<?> timer;

  @GuardedBy("this")
  private boolean done;

  /**
   * A deadline that was not started.
   *
   * @param expired runs on the stream's event loop, at about the time when it is stopped at the
   *     latest: whether it came first, it must find out itself
   */
  public Deadline(Stream stream, Duration timeout, Runnable expired) {
    this.stream = stream;
    this.timeout = timeout;
    this.expired = expired;
  }

  /** Begins the time; once. */
  public synchronized void start() {
    if (done) {
      return;
    }
    timer = EventLoops.schedule(stream.channel().eventLoop(), expired, timeout);
    if (timer != null) { // Else the stream ended with its event loop.
      stream.channel().closeFuture().addListener(streamEnded);
    }
  }

  /** Ends it. */
  public synchronized void stop() {
    done = true;
    if (timer != null) {
      timer.cancel(false);
      timer = null;
      stream.channel().closeFuture().removeListener(streamEnded);
    }
  }
}
