package io.grpcstream.netty;

import io.netty.channel.Channel;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2ConnectionAdapter;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Waits until no call is under way on a transport. To HTTP/2 a call that was cancelled is under way
 * until its RST_STREAM is written, which a peer that reads nothing withholds: here it is not. On
 * the event loop.
 */
final class IdleTransport extends Http2ConnectionAdapter {
  /** How often to look for calls that were cancelled: nothing tells of them. */
  private static final int CHECK_SECONDS = 1;

  private final Http2Connection connection;
  private final Runnable action;
  private final Future<?> checks;
  private boolean done;

  private IdleTransport(Channel channel, Http2Connection connection, Runnable action) {
    this.connection = connection;
    this.action = action;
    checks =
        channel
            .eventLoop()
            .scheduleAtFixedRate(this::check, CHECK_SECONDS, CHECK_SECONDS, TimeUnit.SECONDS);
    channel.closeFuture().addListener(closed -> checks.cancel(false));
    connection.addListener(this);
  }

  /**
   * Runs {@code action} once, now or as soon as no call is under way; never if the channel ends.
   */
  static void await(Channel channel, Http2Connection connection, Runnable action) {
    if (isQuiet(connection)) {
      action.run();
    } else if (channel.isOpen()) {
      new IdleTransport(channel, connection, action).check();
    }
  }

  @Override
  public void onStreamClosed(Http2Stream call) {
    check();
  }

  private void check() {
    if (!done && isQuiet(connection)) {
      done = true;
      checks.cancel(false);
      action.run();
    }
  }

  private static boolean isQuiet(Http2Connection connection) {
    try {
      return connection.forEachActiveStream(Http2Stream::isResetSent) == null;
    } catch (Http2Exception e) {
      throw new IllegalStateException("looking at streams cannot fail", e);
    }
  }
}
