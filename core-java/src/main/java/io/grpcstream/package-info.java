/**
 * gRPC over libp2p streams: {@link io.grpcstream.GrpcStream} serves and calls gRPC services on the
 * streams of a libp2p host, and every call knows the peer id that the handshake proved.
 */
@NullMarked
package io.grpcstream;

import org.jspecify.annotations.NullMarked;
