/**
 * Internal: which peers a gRPC target names, such as {@code
 * libp2p:/ip4/10.0.0.1/tcp/4001/p2p/12D3…?protocol=/greeter/1.0.0}, as gRPC's name resolution wants
 * them: one address group a peer. Any thread; nothing here waits.
 */
@NullMarked
package io.grpcstream.target;

import org.jspecify.annotations.NullMarked;
