/**
 * The yamux stream multiplexer ({@code /yamux/1.0.0}): one {@link
 * io.grpcstream.libp2p.mux.yamux.YamuxSession} per connection turns its bytes into streams, each a
 * Netty channel with its own flow control. Internal.
 */
@NullMarked
package io.grpcstream.libp2p.mux.yamux;

import org.jspecify.annotations.NullMarked;
