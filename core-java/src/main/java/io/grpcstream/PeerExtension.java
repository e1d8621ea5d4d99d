package io.grpcstream;

import io.grpc.ManagedChannelBuilder;
import io.grpc.ServerBuilder;
import io.grpcstream.libp2p.Host;

/**
 * Something that is added to peers as a whole, by one line on the builder of a host's server, of a
 * channel or of a whole {@link GrpcPeer}: telemetry, for example, which measures the host and
 * traces calls on both sides. It sees each builder once, before what that builds is made, and may
 * be installed in any number of them.
 */
public interface PeerExtension {
  /** Adds what it has for a host. */
  default void configureHost(Host.Builder host) {}

  /** Adds what it has for a server. */
  default void configureServer(ServerBuilder<?> server) {}

  /** Adds what it has for a channel, to peers or over one stream. */
  default void configureChannel(ManagedChannelBuilder<?> channel) {}
}
