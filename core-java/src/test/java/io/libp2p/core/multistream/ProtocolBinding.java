package io.libp2p.core.multistream;

import io.libp2p.core.P2PChannel;
import io.libp2p.core.P2PChannelHandler;
import java.util.concurrent.CompletableFuture;

/** Stands in for jvm-libp2p's interface, and its companion object. */
public interface ProtocolBinding<C> {
  @SuppressWarnings("VariableNameSameAsType")
  Companion Companion = new Companion();

  ProtocolDescriptor getProtocolDescriptor();

  CompletableFuture<? extends C> initChannel(P2PChannel channel, String selectedProtocol);

  /** As Kotlin compiles a companion object. */
  final class Companion {
    private Companion() {}

    public <T> ProtocolBinding<T> createSimple(String protocol, P2PChannelHandler<T> handler) {
      return new ProtocolBinding<>() {
        @Override
        public ProtocolDescriptor getProtocolDescriptor() {
          return new ProtocolDescriptor(protocol);
        }

        @Override
        public CompletableFuture<? extends T> initChannel(P2PChannel channel, String selected) {
          return handler.initChannel(channel);
        }
      };
    }
  }
}
