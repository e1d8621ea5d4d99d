package io.grpcstream.netty;

import io.grpc.Status;
import io.grpc.netty.GrpcHttp2ConnectionHandler;
import io.grpcstream.libp2p.Stream;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * Stands between a stream and gRPC's handlers and makes the ends of the stream the ends of the
 * transport.
 *
 * <ul>
 *   <li>A stream is open already, so {@code connect} succeeds at once, or fails with the reason why
 *       the stream is over.
 *   <li>HTTP/2 has no half-closed connections: once the peer has ended its direction, ours ends
 *       too.
 *   <li>Calls that are cut off get a status that names the peer, the protocol and the cause.
 *   <li>What arrives after the end is dropped; Netty would log each frame.
 *   <li>A served stream ends quietly, whatever ended it: see {@link PeerErrorLog}.
 * </ul>
 */
final class StreamEndHandler extends ChannelDuplexHandler {
  private final Stream stream;
  private final @Nullable StreamEnd end;
  private boolean over; // Only on the event loop.
  private boolean heard; // The same.

  /**
   * A handler for one stream.
   *
   * @param end where to note the end of a client's stream; null on the server's side
   */
  StreamEndHandler(Stream stream, @Nullable StreamEnd end) {
    this.stream = stream;
    this.end = end;
  }

  @Override
  public void connect(
      ChannelHandlerContext ctx, SocketAddress remote, SocketAddress local, ChannelPromise done) {
    if (ctx.channel().isActive()) {
      done.setSuccess();
    } else {
      done.setFailure(record(StreamEnd.LOST).asRuntimeException());
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    ctx.fireUserEventTriggered(event);
    if (event == ChannelInputShutdownEvent.INSTANCE) {
      record("the peer ended it");
      ctx.close();
    }
  }

  /** Drops what still arrives on {@code channel}, since its HTTP/2 connection is over. */
  static void endReading(Channel channel) {
    StreamEndHandler handler = channel.pipeline().get(StreamEndHandler.class);
    if (handler != null) {
      handler.over = true;
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (end != null && !heard) {
      heard = true;
      end.heard();
    }
    if (over) {
      ReferenceCountUtil.release(message);
    } else {
      ctx.fireChannelRead(message);
    }
  }

  @Override
  public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
    over = true;
    record(StreamEnd.CLOSED_HERE);
    ctx.close(promise);
  }

  /**
   * Tells gRPC's client of the end as soon as the channel is closed: that is before pending writes
   * fail, and before {@code channelInactive}, whose texts would be "channel closed" and "Network
   * closed for unknown reason".
   *
   * <p>Tells gRPC's server just before it logs what has last failed on the connection: with its
   * stack, unless that is a plain IOException. It hears nothing new by that, as it goes by {@code
   * channelInactive}.
   */
  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    ctx.channel().closeFuture().addListener(closed -> tellOfEnd(ctx));
  }

  private void tellOfEnd(ChannelHandlerContext ctx) {
    if (end != null && !heard) {
      // The peer has taken nothing in that could be lost, and may never end its side: neither its
      // backlog nor the shutdown of this host is to wait for that.
      stream.reset();
    }
    // If gRPC's handlers are not in place yet, they will hear of it from connect().
    if (ctx.pipeline().get(GrpcHttp2ConnectionHandler.class) != null) {
      ctx.fireExceptionCaught(
          end == null
              ? new IOException(StreamAttachment.describe(stream) + " has ended")
              : record(StreamEnd.LOST).asRuntimeException());
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (end != null) {
      ctx.fireExceptionCaught(end.recordFailure(cause).asRuntimeException());
    } else if (cause instanceof IOException) {
      // A plain IOException, since gRPC logs any other kind with its stack trace.
      String text = StreamAttachment.describe(stream) + " failed: " + cause.getMessage();
      ctx.fireExceptionCaught(new IOException(text, cause));
    } else {
      ctx.fireExceptionCaught(cause);
    }
  }

  /** {@link StreamEnd#record(String)}, on the client's side. */
  private Status record(String reason) {
    return end == null ? Status.UNAVAILABLE : end.record(reason);
  }
}
