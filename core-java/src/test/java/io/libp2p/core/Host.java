package io.libp2p.core;

import io.libp2p.core.multiformats.Multiaddr;
import io.libp2p.core.multistream.ProtocolBinding;
import java.util.List;

/** Stands in for jvm-libp2p's interface. */
public interface Host {
  PeerId getPeerId();

  void addProtocolHandler(ProtocolBinding<? extends Object> protocolBinding);

  <C> StreamPromise<C> newStream(List<String> protocols, PeerId peer, Multiaddr... addresses);
}
