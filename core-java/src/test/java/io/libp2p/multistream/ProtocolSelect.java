package io.libp2p.multistream;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;

/**
 * Stands in for jvm-libp2p's handler of the same name, which stands behind the {@link Negotiator}:
 * runs the initializer of the protocol that was agreed on, and is gone once the channel's
 * activation has passed. Bytes that came with the end of the negotiation come behind it.
 */
public final class ProtocolSelect<C> extends ChannelInboundHandlerAdapter {
  /** Makes what the protocol's user gets of a stream. */
  public interface Initializer<C> {
    CompletableFuture<? extends C> initChannel(Channel channel) throws Exception;
  }

  private final Initializer<C> initializer;
  private final CompletableFuture<C> selected = new CompletableFuture<>();
  private boolean activeFired;

  public ProtocolSelect(Initializer<C> initializer) {
    this.initializer = initializer;
  }

  /** What the initializer's future completes with. */
  public CompletableFuture<C> selected() {
    return selected;
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    if (!activeFired) {
      ctx.fireChannelActive();
    }
    ctx.pipeline().remove(this);
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    activeFired = true;
    ctx.fireChannelActive();
    ctx.fireChannelRead(message);
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
    if (event instanceof Negotiator.Succeeded) {
      ctx.pipeline().addAfter(ctx.name(), "ProtocolBindingInitializer", initializer());
    } else if (event instanceof Negotiator.Failed failed) {
      throw new IOException("the other side does not speak " + failed.protocol());
    }
    ctx.fireUserEventTriggered(event);
  }

  private ChannelInitializer<Channel> initializer() {
    return new ChannelInitializer<>() {
      @Override
      protected void initChannel(Channel channel) throws Exception {
        initializer
            .initChannel(channel)
            .whenComplete(
                (controller, failure) -> {
                  if (failure == null) {
                    selected.complete(controller);
                  } else {
                    selected.completeExceptionally(failure);
                  }
                });
      }
    };
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    selected.completeExceptionally(cause);
    ctx.close();
  }

  @Override
  public void channelUnregistered(ChannelHandlerContext ctx) {
    selected.completeExceptionally(new IOException("closed: " + ctx.channel()));
  }
}
