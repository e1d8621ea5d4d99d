package io.grpcstream.libp2p.foreign;

import io.grpcstream.libp2p.mux.AbstractStreamChannel;
import io.grpcstream.libp2p.mux.StreamChannelContract;
import io.libp2p.etc.util.netty.mux.RemoteWriteClosed;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;

class ForeignStreamContractTest extends StreamChannelContract {
  private int received;
  private Seen seen = Seen.OPEN;
  private final EmbeddedChannel below = new EmbeddedChannel(true, new Stack());

  @Override
  protected AbstractStreamChannel open() {
    ForeignStreamChannel stream = ForeignStreamChannel.on(below, "stream of the contract");
    below.runPendingTasks();
    stream.config().setAutoRead(true);
    return stream;
  }

  @Override
  protected void peerEnds() {
    below.pipeline().fireUserEventTriggered(RemoteWriteClosed.INSTANCE);
    below.runPendingTasks();
  }

  /** As another stack tells it: by the end of the channel, which is not this side's doing. */
  @Override
  protected void peerResets() {
    below.close();
    below.runPendingTasks();
  }

  @Override
  protected void stall() {
    below.unsafe().outboundBuffer().setUserDefinedWritability(5, false);
    below.runPendingTasks();
  }

  @Override
  protected void relieve() {
    below.unsafe().outboundBuffer().setUserDefinedWritability(5, true);
    below.runPendingTasks();
  }

  @Override
  protected int received() {
    for (ByteBuf part = below.readOutbound(); part != null; part = below.readOutbound()) {
      received += part.readableBytes();
      part.release();
    }
    return received;
  }

  @Override
  protected Seen seen() {
    return seen;
  }

  @Override
  protected void runTasks() {
    below.runPendingTasks();
  }

  @Override
  protected void finish() {
    below.finishAndReleaseAll();
  }

  /** What jvm-libp2p makes of {@code disconnect} and {@code close}. */
  private final class Stack extends ChannelOutboundHandlerAdapter {
    @Override
    public void disconnect(ChannelHandlerContext ctx, ChannelPromise promise) {
      seen = Seen.END;
      promise.setSuccess();
    }

    @Override
    public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
      if (ctx.channel().isOpen()) {
        seen = Seen.RESET;
      }
      ctx.close(promise);
    }
  }
}
