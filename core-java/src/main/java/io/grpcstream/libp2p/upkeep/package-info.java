/**
 * Which connections a host closes by itself, and which it makes again: water marks, idle time-outs,
 * protected peers, peers that are kept connected. {@code host} starts it and tells it what happens;
 * its timers run on the host's event loops. Internal.
 */
@NullMarked
package io.grpcstream.libp2p.upkeep;

import org.jspecify.annotations.NullMarked;
