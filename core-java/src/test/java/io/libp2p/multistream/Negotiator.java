package io.libp2p.multistream;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.SimpleChannelInboundHandler;
import org.jspecify.annotations.Nullable;

/**
 * Stands in for jvm-libp2p's handler of the same name, in what a stream's user can see of it:
 *
 * <ol>
 *   <li>it keeps the channel's activation to itself, and begins to negotiate then;
 *   <li>once the two sides agree it reports so, <b>while its codecs are still in the pipeline</b>:
 *       that is when the protocol's initializer runs;
 *   <li>it removes itself and its codecs;
 *   <li>it fires {@code channelActive}.
 * </ol>
 */
public final class Negotiator extends SimpleChannelInboundHandler<String> {
  private static final String HEADER = "/multistream/1.0.0";
  private static final String NOT_AVAILABLE = "na";

  /** The user event that reports agreement. */
  record Succeeded(String protocol) {}

  /** The user event that reports that there is none. */
  record Failed(String protocol) {}

  private final String protocol;
  private final boolean initiator;
  private final MessageCodec codec = new MessageCodec();
  private boolean headerRead;

  private Negotiator(String protocol, boolean initiator) {
    this.protocol = protocol;
    this.initiator = initiator;
  }

  /** Puts into a new stream's pipeline what jvm-libp2p does, before the channel is registered. */
  public static void install(
      ChannelPipeline pipeline, String protocol, boolean initiator, ProtocolSelect<?> select) {
    Negotiator negotiator = new Negotiator(protocol, initiator);
    negotiator.codec.addTo(pipeline);
    pipeline.addLast(negotiator, select);
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    ctx.write(HEADER);
    if (initiator) {
      ctx.write(protocol);
    }
    ctx.flush();
  }

  @Override
  protected void channelRead0(ChannelHandlerContext ctx, String message) {
    if (!headerRead) {
      if (!message.equals(HEADER)) {
        throw new IllegalStateException("not multistream: " + message);
      }
      headerRead = true;
      return;
    }
    Object outcome = initiator ? answered(message) : proposed(ctx, message);
    if (outcome != null) {
      ctx.fireUserEventTriggered(outcome);
      ctx.pipeline().remove(this);
      codec.removeFrom(ctx.pipeline());
      ctx.fireChannelActive();
    }
  }

  private Object answered(String message) {
    return message.equals(protocol) ? new Succeeded(protocol) : new Failed(protocol);
  }

  private @Nullable Object proposed(ChannelHandlerContext ctx, String message) {
    boolean known = message.equals(protocol);
    ctx.writeAndFlush(known ? protocol : NOT_AVAILABLE);
    return known ? new Succeeded(protocol) : null;
  }
}
