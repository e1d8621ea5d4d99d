package io.grpcstream;

import io.libp2p.multistream.Negotiator;
import io.libp2p.multistream.ProtocolSelect;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import java.util.concurrent.CompletableFuture;

/** Streams whose protocol is agreed on as jvm-libp2p does it. */
final class Negotiated {
  private Negotiated() {}

  /**
   * Registers one end of a new stream, and negotiates.
   *
   * @param initializer runs on the event loop once the two sides agree, before the codecs of the
   *     negotiation are taken out
   * @return what the initializer's future completes with
   */
  static <C> CompletableFuture<C> register(
      EventLoop loop,
      Channel channel,
      String protocol,
      boolean initiator,
      ProtocolSelect.Initializer<C> initializer) {
    ProtocolSelect<C> select = new ProtocolSelect<>(initializer);
    Negotiator.install(channel.pipeline(), protocol, initiator, select);
    loop.register(channel);
    return select.selected();
  }
}
