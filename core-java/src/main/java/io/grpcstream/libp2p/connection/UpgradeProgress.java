package io.grpcstream.libp2p.connection;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * First in the pipeline of a raw channel until it is a connection: how far the two sides have come,
 * for the text of a failure. Written on the channel's event loop; read from any thread.
 */
final class UpgradeProgress extends ChannelInboundHandlerAdapter {
  private volatile boolean connected;
  private volatile long received;
  private volatile State state = new State("negotiating security by multistream", 0);

  /** When the channel was connected, by {@link System#nanoTime}. On the event loop. */
  private long connectedAt;

  /** Whether the end of the channel came from the other side. On the event loop. */
  boolean endedThere;

  /** Whether it came from the network, or this machine's part of it. On the event loop. */
  private boolean lost;

  /** A step, and how much had been received when it began. */
  private record State(String step, long received) {}

  /** Begins the next step, as in "failed while …". On the event loop. */
  void step(String step) {
    state = new State(step, received);
  }

  /** The current step. */
  String step() {
    return state.step;
  }

  /** What has been received in all, and if that is something, whether any of it in this step. */
  String received() {
    State now = state;
    long bytes = received;
    if (!connected) {
      return "not connected";
    }
    if (bytes == 0) {
      return "connected, but nothing was received: the other end may not speak libp2p";
    }
    return "connected, %,d bytes received%s"
        .formatted(bytes, bytes == now.received ? ", none of them in this step" : "");
  }

  /**
   * Whether the network has ended the channel; or the other side, which said nothing before: that
   * is who looks whether the port is open, as monitors do. On the event loop.
   */
  boolean isNobodysFault() {
    return lost || (endedThere && received == 0);
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    if (ctx.channel().isActive()) {
      onConnected();
    }
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    onConnected();
    ctx.fireChannelActive();
  }

  private void onConnected() {
    connectedAt = System.nanoTime();
    connected = true;
  }

  /** How long the channel has been connected; null if it has not been. On the event loop. */
  @Nullable Duration sinceConnected() {
    return connected ? Duration.ofNanos(System.nanoTime() - connectedAt) : null;
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (message instanceof ByteBuf bytes) {
      long before = received;
      received = before + bytes.readableBytes();
    }
    ctx.fireChannelRead(message);
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    endedThere |= event instanceof ChannelInputShutdownEvent;
    ctx.fireUserEventTriggered(event);
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    endedThere |= !lost;
    ctx.fireChannelInactive();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (cause instanceof SocketFailure failure) {
      endedThere |= failure.isByOtherSide();
      lost |= !failure.isByOtherSide();
    }
    ctx.fireExceptionCaught(cause);
  }
}
