package io.grpcstream.serving;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.text.DurationText;
import io.grpcstream.libp2p.util.EventLoops;
import io.grpcstream.netty.UserLog;
import io.netty.util.concurrent.ScheduledFuture;
import java.net.SocketAddress;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Says, once, that streams come in and that nobody has ever asked for any: as a rule {@code
 * GrpcStream.serve()} was forgotten, of which the peers see a reset only, and much later.
 * Thread-safe.
 */
final class UnservedStreamsWarning {
  /** What a program may take from {@code GrpcStream.handler()} to its serving or accepting. */
  static final Duration PATIENCE = Duration.ofSeconds(1);

  private static final String WHAT_TO_DO =
      "nobody has called serve() or accept() (in Kotlin serveIn() or connections())";

  private final Object owner;
  private final Duration timeout;

  @GuardedBy("this")
  private @Nullable ScheduledFuture<?> timer;

  @GuardedBy("this")
  private boolean attended;

  @GuardedBy("this")
  private long came;

  /**
   * One for a backlog.
   *
   * @param owner whose streams they are, for people
   * @param timeout how long each waits
   */
  UnservedStreamsWarning(SocketAddress owner, Duration timeout) {
    this.owner = owner;
    this.timeout = timeout;
  }

  /** Somebody takes streams, or none is taken any more: there is nothing to say from now on. */
  synchronized void attend() {
    attended = true;
    if (timer != null) {
      timer.cancel(false);
      timer = null;
    }
  }

  /** A stream waits. */
  synchronized void waits(Stream stream) {
    if (!attended && came++ == 0) {
      timer = EventLoops.schedule(stream.channel().eventLoop(), () -> say(stream), PATIENCE);
    }
  }

  private void say(Stream first) {
    long streams;
    synchronized (this) {
      if (attended) {
        return;
      }
      streams = came;
    }
    UserLog.LOG.warn(
        "{}: {} stream(s) came, the first for {} from peer {}, and {}; each is reset after {}",
        owner,
        streams,
        first.protocol(),
        first.remotePeer(),
        WHAT_TO_DO,
        DurationText.of(timeout));
  }

  /** Why a stream that was refused had to wait, if that is the reason; else nothing. */
  synchronized String reason() {
    return attended ? "" : ": " + WHAT_TO_DO;
  }
}
