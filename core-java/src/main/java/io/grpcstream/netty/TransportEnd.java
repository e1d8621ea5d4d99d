package io.grpcstream.netty;

import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.util.EventLoops;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2ConnectionAdapter;
import io.netty.handler.codec.http2.Http2Error;

/**
 * Closes a stream once HTTP/2 has ended on this side, whether or not the peer reads.
 *
 * <p>gRPC ends a transport by GOAWAY, awaits the calls in flight, and closes the channel when the
 * GOAWAY is written; with an error, it awaits no calls. But a peer that reads nothing withholds
 * that write for ever, and with it the close. {@link Stream#close} does the same with a limit.
 */
final class TransportEnd extends Http2ConnectionAdapter {
  /**
   * What the first of two GOAWAYs says: calls that are on their way are welcome (RFC 9113, 6.8).
   */
  private static final int MORE_TO_COME = Integer.MAX_VALUE;

  private final Stream stream;
  private final Http2Connection connection;
  private boolean awaited;

  private TransportEnd(Stream stream, Http2Connection connection) {
    this.stream = stream;
    this.connection = connection;
  }

  /** Watches the transport of {@code connection} on {@code stream}; on its event loop. */
  static void watch(Stream stream, Http2Connection connection) {
    connection.addListener(new TransportEnd(stream, connection));
  }

  @Override
  public void onGoAwaySent(int lastStreamId, long errorCode, ByteBuf debugData) {
    if (errorCode != Http2Error.NO_ERROR.code()) {
      close();
    } else if (lastStreamId != MORE_TO_COME && !awaited) {
      awaited = true;
      IdleTransport.await(stream.channel(), connection, this::close);
    }
  }

  /** Later, since what is being written just now goes before. */
  private void close() {
    EventLoops.runLaterOrHere(stream.channel().eventLoop(), stream::close);
  }
}
