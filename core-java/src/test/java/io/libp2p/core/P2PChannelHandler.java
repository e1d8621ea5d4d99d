package io.libp2p.core;

import java.util.concurrent.CompletableFuture;

/** Stands in for jvm-libp2p's interface. */
@FunctionalInterface
public interface P2PChannelHandler<C> {
  CompletableFuture<C> initChannel(P2PChannel channel);
}
