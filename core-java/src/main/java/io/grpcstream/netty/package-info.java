/**
 * Internal: grpc-netty on the channel and the event loop of a libp2p stream. It is the only package
 * that touches grpc-java's {@code Internal*} classes.
 */
@NullMarked
package io.grpcstream.netty;

import org.jspecify.annotations.NullMarked;
