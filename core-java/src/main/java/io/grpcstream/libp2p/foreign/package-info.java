/**
 * Streams of other Netty-based stacks. Its door is {@link
 * io.grpcstream.libp2p.foreign.ForeignStream}, behind {@link io.grpcstream.libp2p.Stream#over}; the
 * rest runs on the event loop of the stream. Internal.
 */
@NullMarked
package io.grpcstream.libp2p.foreign;

import org.jspecify.annotations.NullMarked;
