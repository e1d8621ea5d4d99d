/**
 * What a connection is made of, whatever makes it: many streams, each a Netty channel, and what
 * these channels have in common. A muxer implements it, and connections use it, on the connection's
 * event loop. Internal.
 */
@NullMarked
package io.grpcstream.libp2p.mux;

import org.jspecify.annotations.NullMarked;
