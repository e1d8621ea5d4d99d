package io.grpcstream.libp2p.mux.yamux;

import io.grpcstream.libp2p.mux.Muxer;
import io.grpcstream.libp2p.mux.MuxerListener;
import io.grpcstream.libp2p.mux.MuxerProtocol;

/** Yamux, the same for all connections of a host. */
public final class YamuxProtocol implements MuxerProtocol {
  /** The protocol id. */
  public static final String ID = "/yamux/1.0.0";

  private final YamuxConfig config;

  /** Yamux with these limits for each connection. */
  public YamuxProtocol(YamuxConfig config) {
    this.config = config;
  }

  @Override
  public String id() {
    return ID;
  }

  @Override
  public Muxer create(boolean initiator, MuxerListener listener) {
    return new YamuxSession(initiator, config, listener);
  }
}
